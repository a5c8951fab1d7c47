"""Calibration error: bins, bias, and whether chance alone explains it."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.metrics.calibration import calibration_error, equal_bins, plain_error


def logistic(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def drawn(n: int, sharpened: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    z = rng.normal(0, 1.5, n)
    return logistic(z * sharpened), rng.random(n) < logistic(z)


def value(p: np.ndarray, y: np.ndarray, **more: int) -> float:
    return float(calibration_error(p, y, **more).at(np.ones((1, len(p))))[0])


def test_bins_hold_equal_numbers_in_order() -> None:
    p = np.random.default_rng(0).random(100)
    index = equal_bins(p, 5)
    assert np.bincount(index).tolist() == [20] * 5
    assert all(p[index == b].max() < p[index == b + 1].min() for b in range(4))


def test_equal_probabilities_never_part_and_bins_have_no_gaps() -> None:
    p = np.array([0.2] * 70 + list(np.linspace(0.3, 0.9, 30)))
    index = equal_bins(p, 10)
    assert len(set(index[:70])) == 1 and set(index) == set(range(index.max() + 1))
    assert equal_bins(np.full(9, 0.5)).tolist() == [0] * 9
    assert equal_bins(np.zeros(0)).tolist() == []


@pytest.mark.parametrize(("n", "bins"), [(5, 1), (39, 1), (40, 2), (199, 9), (5000, 10)])
def test_number_of_bins_follows_the_number_of_cases(n: int, bins: int) -> None:
    assert equal_bins(np.linspace(0, 1, n)).max() + 1 == bins


def test_plain_error_by_hand() -> None:
    p, y = np.array([0.1, 0.3, 0.8, 0.6]), np.array([0, 1, 1, 1], bool)
    assert plain_error(p, y, bins=2) == pytest.approx((abs(0.5 - 0.2) + abs(1 - 0.7)) / 2)
    assert plain_error(p[:0], y[:0]) is None


@pytest.mark.parametrize("n", [200, 1000])
def test_a_calibrated_model_has_less_error_than_the_plain_one_shows(n: int) -> None:
    sets = [drawn(n, 1.0, seed) for seed in range(60)]
    ours, plain = np.mean([value(*s) for s in sets]), np.mean([plain_error(*s) for s in sets])
    assert ours < 0.4 * plain


@pytest.mark.parametrize("sharpened", [2.0, 3.0])
def test_a_miscalibrated_model_keeps_its_error(sharpened: float) -> None:
    z = np.random.default_rng(0).normal(0, 1.5, 200000)
    truth = np.abs(logistic(z) - logistic(z * sharpened)).mean()
    ours = np.mean([value(*drawn(400, sharpened, seed)) for seed in range(60)])
    assert ours == pytest.approx(truth, abs=0.01)


def test_chance_is_told_from_fault() -> None:
    calibrated = [calibration_error(*drawn(200, 1.0, seed)).by_chance(0.95) for seed in range(100)]
    assert np.mean(calibrated) >= 0.93
    sharp = [calibration_error(*drawn(400, 3.0, seed)).by_chance(0.95) for seed in range(20)]
    assert not any(sharp)


def test_weights_count_cases_as_often_as_they_say() -> None:
    p, y = drawn(60, 2.0, 0)
    w = np.ones((2, 60))
    w[1] *= 3
    one, three = calibration_error(p, y).at(w)
    # More of the same cases leave less to chance.
    assert one <= three <= plain_error(p, y) + 1e-12


def test_certain_and_right_certain_and_wrong() -> None:
    y = np.arange(40) % 2 == 0
    assert value(y.astype(float), y) == pytest.approx(0.0, abs=0.03)
    assert value(1 - y.astype(float), y) == pytest.approx(1.0, abs=0.03)
    assert 0 <= value(np.array([0.7]), np.array([True])) <= 0.3
