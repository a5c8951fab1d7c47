"""Thresholds against scikit-image and against the definition."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from skimage.filters import threshold_multiotsu, threshold_otsu, threshold_triangle
from sklearn.mixture import GaussianMixture

from isocenter.ops.thresholds import counts, mixture, multi_otsu, otsu, triangle


def several(seed: int, means: tuple[float, ...], sd: float = 6.0, n: int = 4000) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(m, sd, n) for m in means])


@pytest.mark.parametrize("seed", range(5))
def test_otsu_agrees_with_scikit_image(seed: int) -> None:
    values = np.clip(several(seed, (60.0, 150.0), sd=25.0), 20, 200).reshape(100, 80)
    width = (values.max() - values.min()) / 256
    assert abs(otsu(values) - threshold_otsu(values)) <= 2 * width


@pytest.mark.parametrize("classes", [3, 4])
def test_multi_otsu_agrees_with_scikit_image(classes: int) -> None:
    values = np.clip(several(1, (30.0, 90.0, 150.0, 220.0)[:classes]), 10, 245).reshape(classes * 40, 100)
    ours = np.digitize(values, multi_otsu(values, classes, bins=128))
    theirs = np.digitize(values, threshold_multiotsu(values, classes, nbins=128), right=True)
    assert np.mean(ours == theirs) > 0.99


def test_multi_otsu_is_the_best_of_all_divisions() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 12, 200).astype(float)
    found = multi_otsu(values, 3, bins=12)

    def within(cuts: tuple[float, ...]) -> float:
        parts = np.split(np.sort(values), np.searchsorted(np.sort(values), cuts))
        return sum(float(((p - p.mean()) ** 2).sum()) for p in parts if len(p))

    best = min(within(c) for c in itertools.combinations(np.arange(0.5, 11.5), 2))
    assert within(found) == pytest.approx(best)


def test_a_threshold_lies_in_the_middle_of_a_gap() -> None:
    assert otsu(np.array([0.0] * 50 + [100.0] * 50)) == pytest.approx(50.0)


def test_one_hot_pixel_changes_little() -> None:
    values = several(3, (60.0, 150.0))
    hot = np.append(values, 1e6)
    assert abs(otsu(values) - otsu(hot)) < 5.0


def test_a_rare_value_is_still_seen() -> None:
    mask = np.zeros(100_000)
    mask[:20] = 1.0
    assert otsu(mask) == pytest.approx(0.5)


@pytest.mark.parametrize("values", [np.zeros(0), np.full((4, 4), 7.0), np.array([3])])
def test_nothing_to_separate(values: np.ndarray) -> None:
    assert otsu(values) is None
    assert multi_otsu(values, 3) == ()


def test_fewer_values_than_classes() -> None:
    assert multi_otsu(np.array([0.0, 1.0, 1.0]), 3) == ()
    assert len(multi_otsu(np.array([0.0, 1.0, 2.0]), 3)) == 2


def test_integers_and_bools_are_welcome() -> None:
    assert otsu(np.array([0, 0, 255, 255], np.uint8)) == pytest.approx(127.5)
    assert otsu(np.array([-1000, -1000, 40, 50], np.int16)) == pytest.approx(-480, abs=5)
    assert otsu(np.array([False, True])) == pytest.approx(0.5)


def test_every_value_is_counted() -> None:
    found, edges = counts(several(2, (0.0,)), bins=64)
    assert found.sum() == 4000
    assert len(edges) == 65


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("seed", range(3))
def test_the_triangle_agrees_with_scikit_image(seed: int, side: int) -> None:
    values = side * np.clip(np.random.default_rng(seed).gamma(2.0, 10.0, (80, 90)), 0, 60)
    width = np.ptp(values) / 256
    assert abs(triangle(values) - threshold_triangle(values)) <= 2 * width


def test_the_triangle_is_farthest_from_its_line() -> None:
    values = np.repeat(np.arange(8.0), [2, 40, 20, 10, 1, 1, 1, 1])
    assert triangle(values, bins=8) == pytest.approx(4.375, abs=0.06)
    assert triangle(np.ones(5)) is None


@pytest.mark.parametrize("seed", range(3))
def test_a_mixture_is_that_of_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.concatenate([rng.normal(20, 14, 9000), rng.normal(90, 4, 3000)])
    fitted = GaussianMixture(2, random_state=0, tol=1e-6, max_iter=500).fit(values[:, None])
    order = np.argsort(fitted.means_.ravel())
    line = np.linspace(*np.sort(fitted.means_.ravel()), 5000)
    crossing = line[np.argmax(fitted.predict(line[:, None]) == order[1])]
    width = (np.quantile(values, 0.999) - np.quantile(values, 0.001)) / 256
    assert abs(mixture(values, 2)[0] - crossing) <= 2 * width


def test_a_mixture_of_three() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(m, s, 3000) for m, s in ((0, 10), (60, 3), (80, 2))])
    low, high = mixture(values, 3)
    assert 35 < low < 53
    assert 67 < high < 75


@pytest.mark.parametrize("values", [np.zeros(0), np.ones(7), np.array([1.0, 1.0, 2.0]), np.arange(3.0)])
@pytest.mark.parametrize("classes", [2, 3])
def test_a_mixture_needs_as_many_values_as_classes(values: np.ndarray, classes: int) -> None:
    found = mixture(values, classes)
    assert len(found) == (classes - 1 if len(np.unique(values)) >= classes else 0)
    assert list(found) == sorted(found)


@pytest.mark.parametrize("rule", [lambda v: (triangle(v),), lambda v: mixture(v, 2), lambda v: mixture(v, 3)])
def test_gain_and_offset_move_the_threshold(rule) -> None:
    values = several(0, (20.0, 60.0, 90.0))
    assert np.allclose(rule(4 * values - 100), 4 * np.array(rule(values)) - 100, rtol=0.02)
