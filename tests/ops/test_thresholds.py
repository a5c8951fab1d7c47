"""Thresholds against scikit-image and against the definition."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from skimage.filters import threshold_multiotsu, threshold_otsu

from isocenter.ops.thresholds import counts, multi_otsu, otsu


def mixture(seed: int, means: tuple[float, ...], sd: float = 6.0, n: int = 4000) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(m, sd, n) for m in means])


@pytest.mark.parametrize("seed", range(5))
def test_otsu_agrees_with_scikit_image(seed: int) -> None:
    values = np.clip(mixture(seed, (60.0, 150.0), sd=25.0), 20, 200).reshape(100, 80)
    width = (values.max() - values.min()) / 256
    assert abs(otsu(values) - threshold_otsu(values)) <= 2 * width


@pytest.mark.parametrize("classes", [3, 4])
def test_multi_otsu_agrees_with_scikit_image(classes: int) -> None:
    values = np.clip(mixture(1, (30.0, 90.0, 150.0, 220.0)[:classes]), 10, 245).reshape(classes * 40, 100)
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
    values = mixture(3, (60.0, 150.0))
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
    found, edges = counts(mixture(2, (0.0,)), bins=64)
    assert found.sum() == 4000
    assert len(edges) == 65
