"""Agreement of readers against published examples and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from isocenter.errors import InputError
from isocenter.metrics import bland_altman, cohen_kappa, icc

# Shrout and Fleiss 1979, table 2: 6 targets, 4 judges.
JUDGES = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])


@pytest.mark.parametrize("power", [0, 1, 2])
def test_kappa_equals_scikit_learn(power: int) -> None:
    rng = np.random.default_rng(0)
    a = rng.integers(0, 4, 60)
    b = np.where(rng.random(60) < 0.6, a, rng.integers(0, 4, 60))
    wanted = cohen_kappa_score(a, b, weights=(None, "linear", "quadratic")[power])
    s = cohen_kappa(a.tolist(), b.tolist(), power=power)
    assert s.value == pytest.approx(wanted, abs=1e-12) and s.n == 60 and s.low < s.value < s.high <= 1


def test_kappa_by_hand_with_its_error() -> None:
    # 45 and 25 agreed, 15 and 15 not: seen 0.7, chance 0.6 * 0.6 + 0.4 * 0.4 = 0.52.
    a, b = ["y"] * 60 + ["n"] * 40, ["y"] * 45 + ["n"] * 15 + ["y"] * 15 + ["n"] * 25
    s = cohen_kappa(a, b)
    assert s.value == pytest.approx((0.7 - 0.52) / 0.48)
    assert (s.high - s.low) / 2 / 1.959964 == pytest.approx(jackknife(a, b), rel=0.03)


def jackknife(a: list[str], b: list[str]) -> float:
    n = len(a)
    left = [cohen_kappa(a[:i] + a[i + 1:], b[:i] + b[i + 1:]).value for i in range(n)]
    return float(np.sqrt((n - 1) / n * np.sum((np.array(left) - np.mean(left)) ** 2)))


@pytest.mark.parametrize("power", [0, 2])
def test_kappa_interval_covers(power: int) -> None:
    rng = np.random.default_rng(1)
    population = np.array([[0.25, 0.05, 0.02], [0.06, 0.2, 0.06], [0.01, 0.05, 0.3]])
    times = (population.ravel() * 10000).round().astype(int)
    big = [np.repeat(v, times) for v in (np.arange(9) // 3, np.arange(9) % 3)]
    truth = cohen_kappa(big[0].tolist(), big[1].tolist(), power=power).value
    held = 0
    for _ in range(200):
        cell = rng.choice(9, 100, p=population.ravel())
        s = cohen_kappa((cell // 3).tolist(), (cell % 3).tolist(), order=[0, 1, 2], power=power)
        held += s.low <= truth <= s.high
    assert 0.89 <= held / 200 <= 0.99


def test_kappa_at_its_ends() -> None:
    assert cohen_kappa(["a", "b"] * 6, ["a", "b"] * 6).value == 1.0
    assert cohen_kappa(["a", "b"] * 6, ["b", "a"] * 6).value == -1.0
    alone = cohen_kappa(["a"] * 5, ["a"] * 5)
    assert alone.value is None and alone.flags == ("undefined",)
    assert cohen_kappa(["a", "b"], ["a", "b"]).flags == ("few_subjects",)
    with pytest.raises(InputError):
        cohen_kappa(["a"], ["a", "b"])
    with pytest.raises(InputError):
        cohen_kappa([], [])
    with pytest.raises(InputError):
        cohen_kappa(["a"], ["z"], order=["a", "b"])


def test_icc_equals_shrout_and_fleiss() -> None:
    s = icc(JUDGES)
    assert s.value == pytest.approx(0.29, abs=0.005) and s.n == 6
    assert (s.low, s.high) == pytest.approx((0.02, 0.76), abs=0.005)


def test_icc_sees_a_bias_between_readers() -> None:
    x = np.random.default_rng(2).normal(size=40)
    same, moved = icc(np.stack([x, x], 1)), icc(np.stack([x, x + 1], 1))
    assert same.value == 1.0 == same.low == same.high and moved.value < 0.75


def test_icc_covers() -> None:
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(200):
        x = rng.normal(size=(40, 1)) + 0.5 * rng.normal(size=(40, 3)) + 0.2 * rng.normal(size=3)
        s = icc(x)
        held += s.low <= 1 / (1 + 0.25 + 0.04) <= s.high
    assert held / 200 >= 0.89


def test_icc_without_variance_and_refusals() -> None:
    assert icc(np.ones((5, 2))).value is None
    for bad in (np.ones((1, 2)), np.ones((4, 1)), np.array([[1.0, np.nan], [1, 2]])):
        with pytest.raises(InputError):
            icc(bad)


def test_bland_altman_by_hand() -> None:
    a, b = np.array([10.0, 12, 9, 11]), np.array([9.0, 12, 10, 8])
    found = bland_altman(a, b, unit="ml")
    d = a - b
    assert found.bias.value == d.mean() == 0.75 and found.bias.unit == "ml" and found.bias.n == 4
    assert found.upper.value == pytest.approx(0.75 + 1.959964 * d.std(ddof=1))
    assert (found.bias.high - found.bias.low) / 2 == pytest.approx(3.182446 * d.std(ddof=1) / 2)
    assert found.lower.low < found.lower.value < found.lower.high
    with pytest.raises(InputError):
        bland_altman(a[:1], b[:1])
    with pytest.raises(InputError):
        bland_altman(a, b[:3])


def test_limits_of_agreement_cover() -> None:
    rng = np.random.default_rng(4)
    held = 0
    for _ in range(300):
        found = bland_altman(rng.normal(size=50), np.zeros(50))
        held += found.upper.low <= 1.959964 <= found.upper.high
    assert 0.91 <= held / 300 <= 0.985
