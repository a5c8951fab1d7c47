"""Choosing a threshold and a temperature on val."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.errors import InputError
from isocenter.metrics.threshold import COLDEST, HOTTEST, best_threshold, fit_temperature, steady_threshold


def balanced(p: np.ndarray, y: np.ndarray, t: float) -> float:
    return (np.mean(p[y] >= t) + np.mean(p[~y] < t)) / 2


def softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def nll(z: np.ndarray, y: np.ndarray) -> float:
    return float(-np.log(softmax(z)[np.arange(len(y)), y]).mean())


@pytest.mark.parametrize("seed", range(20))
def test_no_other_threshold_is_better(seed: int) -> None:
    rng = np.random.default_rng(seed)
    y = rng.random(37) < 0.4
    p = np.clip(rng.normal(0.4 + 0.2 * y, 0.2), 0, 1).round(1 if seed % 2 else 6)
    t = best_threshold(p, y)
    every = np.concatenate([[0.0], np.unique(p), np.unique(p) + 1e-9])
    assert balanced(p, y, t) == pytest.approx(max(balanced(p, y, e) for e in every))


def test_lies_half_way_in_the_gap() -> None:
    assert best_threshold(np.array([0.1, 0.3, 0.9]), np.array([0, 0, 1])) == pytest.approx(0.6)


def test_ties_go_to_the_middle() -> None:
    # Mixed values at 0.4, 0.5 and 0.6 leave the merit as it is: four gaps are equally good.
    p = np.array([0.2, 0.4, 0.4, 0.5, 0.5, 0.6, 0.6, 0.7])
    y = np.array([0, 0, 1, 0, 1, 0, 1, 1])
    assert best_threshold(p, y) in (pytest.approx(0.45), pytest.approx(0.55))
    p, y = np.array([0.2, 0.3, 0.3, 0.4, 0.4, 0.9]), np.array([0, 0, 1, 0, 1, 1])
    assert best_threshold(p, y) == pytest.approx(0.35)


def test_one_kind_only_gives_one_half() -> None:
    assert best_threshold(np.array([0.1, 0.9]), np.array([1, 1])) == 0.5
    assert best_threshold(np.array([0.1, 0.9]), np.array([0, 0])) == 0.5


def test_neighbouring_floats_are_told_apart() -> None:
    low = 0.5
    high = np.nextafter(low, 1)
    p, y = np.array([low, high]), np.array([False, True])
    assert balanced(p, y, best_threshold(p, y)) == 1.0


def test_all_alike_probabilities() -> None:
    assert 0 <= best_threshold(np.full(4, 0.3), np.array([0, 1, 0, 1])) <= 1
    assert best_threshold(np.array([0.0, 1.0]), np.array([0, 1])) == 0.5


@pytest.mark.parametrize("seed", range(10))
def test_the_steady_one_is_within_an_error_of_the_best_and_nearer_to_the_share(seed: int) -> None:
    rng = np.random.default_rng(seed)
    y = rng.random(60) < 0.3
    p = np.clip(rng.normal(0.3 + 0.3 * y, 0.15), 0.001, 0.999)
    best, steady = best_threshold(p, y), steady_threshold(p, y)
    sure = [(np.sum(right) + 1) / (len(right) + 2) for right in (p[y] >= best, p[~y] < best)]
    error = np.sqrt(sum(q * (1 - q) / (k + 2) for q, k in zip(sure, (y.sum(), (~y).sum()), strict=True))) / 2
    assert balanced(p, y, steady) >= balanced(p, y, best) - error - 1e-12

    def far(t: float) -> float:
        return abs(np.log(t / (1 - t)) - np.log(y.mean() / (1 - y.mean())))

    assert far(steady) <= far(best) + 1e-12
    if balanced(p, y, float(y.mean())) >= balanced(p, y, best) - error:
        assert steady == y.mean()


def test_one_odd_positive_does_not_draw_it_down() -> None:
    """With two of a hundred positives far below, the best threshold follows them, the steady one does not."""
    rng = np.random.default_rng(0)
    p = np.concatenate([rng.uniform(0.0001, 0.01, 40), rng.uniform(0.9, 0.999, 98), [0.02, 0.03]])
    y = np.arange(140) >= 40
    assert best_threshold(p, y) < 0.02 and steady_threshold(p, y) == pytest.approx(100 / 140)


def test_steady_over_new_cases_costs_nothing_and_saves_where_negatives_shift() -> None:
    rng = np.random.default_rng(1)
    same, shifted = [], []
    for _ in range(60):
        y, new = (rng.random(n) < 0.6 for n in (120, 2000))
        # Log odds of a calibrated probability: of equal spread, two spreads apart each way.
        z, z_new = (rng.normal(np.where(t, 4.0, -4.0), 2.83) + np.log(1.5) for t in (y, new))
        p, moved = (1 / (1 + np.exp(-v)) for v in (z_new, z_new + 2.0 * ~new))
        cuts = [f(1 / (1 + np.exp(-z)), y) for f in (steady_threshold, best_threshold)]
        same.append([balanced(p, new, c) for c in cuts])
        shifted.append([balanced(moved, new, c) for c in cuts])
    (steady, best), (steady_moved, best_moved) = np.mean(same, axis=0), np.mean(shifted, axis=0)
    assert steady > best + 0.002 and steady_moved > best_moved
    assert steady_threshold(np.array([0.1, 0.9]), np.array([1, 1])) == 0.5


@pytest.mark.parametrize("p", [[0.1, np.nan], [0.1, 1.2], [0.1]])
def test_bad_probabilities_are_refused(p: list[float]) -> None:
    with pytest.raises(InputError):
        best_threshold(np.array(p), np.array([0, 1]))


@pytest.mark.parametrize("true", [0.5, 1.6, 3.0])
def test_recovers_the_temperature_within_two_percent(true: float) -> None:
    rng = np.random.default_rng(3)
    z = rng.normal(0, 2, (20000, 4))
    y = np.array([rng.choice(4, p=row) for row in softmax(z)])
    assert fit_temperature(z * true, y) == pytest.approx(true, rel=0.02)


def test_recovers_the_temperature_of_several_labels() -> None:
    rng = np.random.default_rng(4)
    z = rng.normal(0, 2, (8000, 3))
    y = (rng.random(z.shape) < 1 / (1 + np.exp(-z))).astype(int)
    assert fit_temperature(z * 2.5, y) == pytest.approx(2.5, rel=0.03)


@pytest.mark.parametrize("seed", range(10))
def test_never_worse_and_never_another_class(seed: int) -> None:
    rng = np.random.default_rng(seed)
    z, y = rng.normal(0, 3, (12, 3)), rng.integers(0, 3, 12)
    t = fit_temperature(z, y)
    assert nll(z / t, y) <= nll(z, y)
    assert np.array_equal((z / t).argmax(1), z.argmax(1))


def test_bounds_hold_where_nothing_is_wrong_or_everything_is() -> None:
    z = np.array([[3.0, 0.0], [0.0, 3.0]])
    assert fit_temperature(z, np.array([0, 1])) == pytest.approx(COLDEST)
    assert fit_temperature(z, np.array([1, 0])) == pytest.approx(HOTTEST)


def test_no_case_and_bad_shapes() -> None:
    assert fit_temperature(np.zeros((0, 2)), np.zeros(0, int)) == 1.0
    with pytest.raises(InputError):
        fit_temperature(np.zeros((3, 2)), np.zeros(2, int))
    with pytest.raises(InputError):
        fit_temperature(np.array([[np.inf, 0.0]]), np.zeros(1, int))
