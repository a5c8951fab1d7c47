"""First-order features against scipy and the definitions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from isocenter.ops.intensity_features import HISTOGRAM, INTENSITY, histogram_features, intensity_features


def test_statistics_agree_with_scipy() -> None:
    x = np.random.default_rng(1).gamma(2.0, 3.0, 700)
    found = intensity_features(x)
    assert tuple(found) == INTENSITY
    assert found["mean"] == pytest.approx(x.mean()) and found["variance"] == pytest.approx(x.var())
    assert found["skewness"] == pytest.approx(stats.skew(x))
    assert found["excess_kurtosis"] == pytest.approx(stats.kurtosis(x))
    assert found["interquartile_range"] == pytest.approx(stats.iqr(x))
    assert found["mean_absolute_deviation"] == pytest.approx(np.abs(x - x.mean()).mean())
    assert found["coefficient_of_variation"] == pytest.approx(stats.variation(x))
    assert found["energy"] == pytest.approx((x**2).sum())
    assert found["root_mean_square"] == pytest.approx(np.sqrt((x**2).mean()))
    low, high = np.percentile(x, (10, 90))
    inner = x[(x >= low) & (x <= high)]
    assert found["robust_mean_absolute_deviation"] == pytest.approx(np.abs(inner - inner.mean()).mean())


def test_equal_values_and_zeros_are_no_accident() -> None:
    found = intensity_features(np.full(5, 3.0))
    assert found["skewness"] == found["excess_kurtosis"] == found["variance"] == 0
    zero = intensity_features(np.zeros(3))
    undefined = {"coefficient_of_variation", "quartile_coefficient_of_dispersion"}
    assert {k for k, v in zero.items() if np.isnan(v)} == undefined


def test_a_histogram_by_hand() -> None:
    found = histogram_features(np.array([1, 1, 1, 2, 4, 4]))
    assert tuple(found) == HISTOGRAM
    assert found["mode"] == 1 and found["uniformity"] == pytest.approx((9 + 1 + 4) / 36)
    assert found["entropy"] == pytest.approx(stats.entropy([3, 1, 2], base=2))
    # Counts 3, 1, 0, 2: slopes -2, -1.5, 0.5, 2.
    assert (found["maximum_gradient"], found["maximum_gradient_level"]) == (2, 4)
    assert (found["minimum_gradient"], found["minimum_gradient_level"]) == (-2, 1)


def test_of_two_fullest_levels_the_one_nearest_to_the_mean_is_the_mode() -> None:
    assert histogram_features(np.array([1, 1, 5, 5, 6, 7]))["mode"] == 5
    one = histogram_features(np.ones(4, int))
    assert one["entropy"] == 0 and one["maximum_gradient"] == 0 and one["uniformity"] == 1
