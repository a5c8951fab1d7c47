"""Intervals: what they must be by hand, and how often they hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from isocenter.data import CaseScore
from isocenter.metrics.metric import mean_estimate
from isocenter.metrics.ranking import auc_interval
from isocenter.metrics.resample import (
    collected,
    groups_of,
    mean_of_shares,
    percentile_interval,
    two_sided_p,
    weights,
    wilson,
)

SETS = 400
# 400 sets of a 95 % interval: 3 standard errors are 3.3 points.
LEAST, MOST = 0.915, 0.985


def test_groups_are_numbered_and_a_case_without_one_is_its_own() -> None:
    cases = [CaseScore(c, g, {}) for c, g in (("a", "x"), ("b", ""), ("c", "x"), ("d", ""), ("e", "a"))]
    assert groups_of(cases).tolist() == [0, 1, 0, 2, 3]
    assert groups_of([]).tolist() == []


def test_weights_draw_whole_groups() -> None:
    groups = np.array([0, 0, 1, 2, 2, 2])
    w = np.concatenate(list(weights(groups, 300, 1)))
    assert w.shape == (300, 6)
    assert (w[:, 0] == w[:, 1]).all() and (w[:, 3] == w[:, 5]).all()
    assert (w[:, [0, 2, 3]].sum(axis=1) == 3).all(), "as many groups as there are"
    assert w.mean(axis=0) == pytest.approx(np.ones(6), abs=0.15)


def test_weights_repeat_with_their_seed_and_do_not_depend_on_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = np.arange(7)
    whole = np.concatenate(list(weights(groups, 50, 3)))
    assert np.array_equal(whole, np.concatenate(list(weights(groups, 50, 3))))
    assert not np.array_equal(whole, np.concatenate(list(weights(groups, 50, 4))))
    monkeypatch.setattr("isocenter.metrics.resample.BLOCK", 30)
    assert len(list(weights(groups, 50, 3))) > 5
    assert np.array_equal(whole, np.concatenate(list(weights(groups, 50, 3))))


def test_no_groups_no_weights() -> None:
    assert list(weights(np.zeros(0, int), 10, 0)) == []
    assert [a.tolist() for a in collected(weights(np.zeros(0, int), 10, 0), [lambda w: w.sum(1)])] == [[]]


@pytest.mark.parametrize(("hits", "n", "low", "high"), [
    # Brown, Cai and DasGupta's formula by hand; 0 of 10 has the upper bound z^2 / (n + z^2).
    (0, 10, 0.0, 0.27753), (10, 10, 0.72247, 1.0), (5, 10, 0.23659, 0.76341), (81, 263, 0.25529, 0.36621),
])
def test_wilson_by_hand(hits: int, n: int, low: float, high: float) -> None:
    assert wilson(hits, n, 0.95) == pytest.approx((low, high), abs=2e-5)
    exact = stats.binomtest(hits, n).proportion_ci(0.95, "wilson")
    assert wilson(hits, n, 0.95) == pytest.approx((exact.low, exact.high), abs=1e-12)


def test_the_mean_of_one_share_is_wilson() -> None:
    assert mean_of_shares([(7, 9)], 0.95) == pytest.approx(wilson(7, 9, 0.95))
    low, high = mean_of_shares([(9, 9), (20, 20)], 0.95)
    assert low < 0.95 and high == 1.0


def test_expanded_percentiles_are_a_little_wider_and_come_to_the_plain_ones() -> None:
    draws = np.random.default_rng(0).normal(size=20000)
    plain = np.quantile(draws, [0.025, 0.975])
    few, many = percentile_interval(draws, 0.95, 10), percentile_interval(draws, 0.95, 100000)
    assert few[0] < plain[0] and few[1] > plain[1]
    assert many == pytest.approx(tuple(plain), abs=1e-3)
    assert few[1] == pytest.approx(stats.t.ppf(0.975, 9) * np.sqrt(10 / 9), abs=0.1)


def test_expanded_interval_of_a_mean_is_that_of_student() -> None:
    x = np.random.default_rng(2).normal(size=12)
    w = np.concatenate(list(weights(np.arange(12), 40000, 0)))
    low, high = percentile_interval(w @ x / 12, 0.95, 12)
    half = stats.t.ppf(0.975, 11) * x.std(ddof=1) / np.sqrt(12)
    assert (high - low) / 2 == pytest.approx(half, rel=0.08)


@pytest.mark.parametrize("n", [12, 200])
def test_p_and_interval_say_the_same(n: int) -> None:
    for seed in range(30):
        rng = np.random.default_rng(seed)
        draws = rng.normal(rng.uniform(0, 0.6), 0.2, 4000)
        low, _ = percentile_interval(draws, 0.95, n)
        p = two_sided_p(draws, n)
        assert (low > 0) == (p < 0.05) or abs(p - 0.05) < 0.01


def test_p_of_no_difference_is_one_and_never_nought() -> None:
    assert two_sided_p(np.zeros(500), 20) == 1.0
    assert 0 < two_sided_p(np.full(500, 0.3), 20) < 0.02


def test_p_is_uniform_where_nothing_differs() -> None:
    rng = np.random.default_rng(0)
    ps = []
    for _ in range(SETS):
        d = rng.normal(size=25)
        w = np.concatenate(list(weights(np.arange(25), 300, int(rng.integers(1 << 30)))))
        ps.append(two_sided_p(w @ d / 25, 25))
    assert 0.02 <= np.mean(np.array(ps) < 0.05) <= 0.085
    assert 0.4 <= np.mean(ps) <= 0.6


@pytest.mark.parametrize("n", [50, 200])
@pytest.mark.parametrize("shape", [(20, 3), (8, 1.2)])
def test_coverage_of_a_mean_dice(n: int, shape: tuple[float, float]) -> None:
    rng = np.random.default_rng(n)
    truth = shape[0] / sum(shape)
    hits = 0
    for _ in range(SETS):
        e = mean_estimate(rng.beta(*shape, n))
        draws = np.concatenate([e.at(w) for w in weights(np.arange(n), 400, int(rng.integers(1 << 30)))])
        low, high = percentile_interval(draws, 0.95, n)
        hits += low <= truth <= high
    assert LEAST <= hits / SETS <= MOST


@pytest.mark.parametrize("n", [50, 200])
@pytest.mark.parametrize(("apart", "share"), [(1.0, 0.5), (1.8, 0.2), (2.6, 0.5)])
def test_coverage_of_auc(n: int, apart: float, share: float) -> None:
    rng = np.random.default_rng(n)
    y = np.arange(n) < n * share
    truth = stats.norm.cdf(apart / np.sqrt(2))
    hits = 0
    for _ in range(SETS):
        low, high = auc_interval(rng.normal(size=n) + apart * y, y, 0.95)
        hits += low <= truth <= high
    # The interval is on the safe side near 1, so only its lower bound may fail here.
    assert LEAST <= hits / SETS <= 0.995


@pytest.mark.parametrize("n", [50, 200])
@pytest.mark.parametrize("share", [0.7, 0.9])
def test_coverage_of_sensitivity(n: int, share: float) -> None:
    hits = np.arange(n + 1)
    inside = [low <= share <= high for low, high in (wilson(h, n, 0.95) for h in hits)]
    # Exact, not simulated; whole numbers of hits make it jump by up to a point.
    assert 0.93 <= stats.binom.pmf(hits, n, share)[inside].sum() <= 0.975


def test_groups_of_several_cases_widen_the_interval_to_what_is_true() -> None:
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(25), 8)
    held = {"by group": 0, "by case": 0}
    for _ in range(150):
        e = mean_estimate(rng.normal(size=25)[groups] + 0.5 * rng.normal(size=200))
        seed = int(rng.integers(1 << 30))
        for name, g in (("by group", groups), ("by case", np.arange(200))):
            draws = np.concatenate([e.at(w) for w in weights(g, 300, seed)])
            low, high = percentile_interval(draws, 0.95, len(np.unique(g)))
            held[name] += low <= 0 <= high
    assert held["by group"] / 150 >= 0.89 and held["by case"] / 150 <= 0.75
