"""AUC, average precision and DeLong against scikit-learn, a plain double loop, and numbers from R's pROC."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from isocenter.metrics.ranking import (
    auc_interval,
    delong,
    logit_interval,
    midranks,
    weighted_auc,
    weighted_average_precision,
)

PROC = json.loads((Path(__file__).parent / "proc.json").read_text(encoding="utf-8"))


def sample(seed: int, n: int = 40, digits: int = 6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.random(n) < 0.4
    y[:2] = True, False
    return (rng.normal(size=n) + y).round(digits), y


@pytest.mark.parametrize("digits", [6, 0])
@pytest.mark.parametrize("seed", range(10))
def test_equal_scikit_learn_with_any_weights(seed: int, digits: int) -> None:
    s, y = sample(seed, digits=digits)
    w = np.random.default_rng(seed).integers(0, 4, (5, len(y))).astype(float)
    for i, row in enumerate(w):
        assert weighted_auc(s, y)(w)[i] == pytest.approx(roc_auc_score(y, s, sample_weight=row), abs=1e-9)
        assert weighted_average_precision(s, y)(w)[i] == pytest.approx(
            average_precision_score(y, s, sample_weight=row), abs=1e-9)


def test_undefined_without_both_kinds() -> None:
    s, y = np.array([0.1, 0.7]), np.array([False, True])
    w = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [1.0, 1.0]])
    assert np.isnan(weighted_auc(s, y)(w)).tolist() == [True, True, True, False]
    assert np.isnan(weighted_average_precision(s, y)(w)).tolist() == [True, False, True, False]


def test_all_tied_is_a_coin() -> None:
    assert weighted_auc(np.zeros(6), np.arange(6) < 2)(np.ones((1, 6)))[0] == 0.5
    assert weighted_average_precision(np.zeros(6), np.arange(6) < 2)(np.ones((1, 6)))[0] == pytest.approx(2 / 6)


@pytest.mark.parametrize("number", range(20))
def test_delong_equals_proc(number: int) -> None:
    row = PROC["sets"][number]
    aucs, c = delong(np.array([row["a"], row["b"]]), np.array(row["truth"], bool))
    assert aucs == pytest.approx([row["auc_a"], row["auc_b"]], abs=1e-12)
    assert [c[0, 0], c[1, 1], c[0, 1]] == pytest.approx([row["var_a"], row["var_b"], row["cov"]], abs=1e-12)


def test_the_numbers_of_proc_hold_ties_and_say_their_version() -> None:
    assert "pROC 1.18.0" in PROC["made_by"] and len(PROC["sets"]) == 20
    assert sum(len(set(r["a"])) < len(r["a"]) for r in PROC["sets"]) >= 8


@pytest.mark.parametrize("seed", range(6))
def test_delong_equals_a_double_loop(seed: int) -> None:
    a, y = sample(seed, 25, seed % 3)
    b = sample(seed + 100, 25, seed % 2)[0]

    def components(s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        wins = np.array([[1.0 if p > q else 0.5 if p == q else 0.0 for q in s[~y]] for p in s[y]])
        return wins.mean(axis=1), wins.mean(axis=0)

    (pa, na), (pb, nb) = components(a), components(b)
    wanted = np.cov(pa, pb) / y.sum() + np.cov(na, nb) / (~y).sum()
    aucs, c = delong(np.array([a, b]), y)
    assert aucs == pytest.approx([pa.mean(), pb.mean()], abs=1e-12)
    assert np.allclose(c, wanted, atol=1e-14)


@pytest.mark.parametrize("seed", range(4))
def test_delong_of_groups_equals_a_double_loop(seed: int) -> None:
    """Obuchowski's sums, written out; groups of one case each are DeLong's own."""
    a, y = sample(seed, 40, seed % 3)
    b = sample(seed + 100, 40, seed % 2)[0]
    groups = np.random.default_rng(seed).integers(0, 12, 40)
    wins = [np.array([[1.0 if p > q else 0.5 if p == q else 0.0 for q in s[~y]] for p in s[y]]) for s in (a, b)]

    def part(k: int, which: str) -> dict[int, float]:
        values, mean = wins[k].mean(axis=1 if which == "positive" else 0), wins[k].mean()
        held = groups[y] if which == "positive" else groups[~y]
        return {g: float((values[held == g] - mean).sum()) / len(held) for g in np.unique(held)}

    def product(one: dict[int, float], other: dict[int, float], count: int) -> float:
        return sum(one.get(g, 0.0) * other.get(g, 0.0) for g in one) * count / (count - 1)

    wanted = np.zeros((2, 2))
    for i in range(2):
        for j in range(2):
            up, down = (part(i, "positive"), part(j, "positive")), (part(i, "negative"), part(j, "negative"))
            every = len(np.unique(groups))
            wanted[i, j] = product(*up, len(up[0])) + product(*down, len(down[0]))
            wanted[i, j] += product(up[0], down[1], every) + product(down[0], up[1], every)
    aucs, c = delong(np.array([a, b]), y, groups)
    assert aucs == pytest.approx([w.mean() for w in wins], abs=1e-12)
    assert np.allclose(c, wanted, atol=1e-14)
    assert np.allclose(delong(np.array([a, b]), y, np.arange(40))[1], delong(np.array([a, b]), y)[1], atol=1e-14)


def test_cases_that_go_together_widen_delongs_error() -> None:
    a, y = sample(3, 30, 0)
    twice, truth, groups = (np.tile(v, 2) for v in (a, y, np.arange(30)))
    alone = delong(twice, truth)[1][0, 0]
    assert delong(twice, truth, groups)[1][0, 0] == pytest.approx(delong(a, y)[1][0, 0], rel=1e-9)
    assert alone == pytest.approx(delong(a, y)[1][0, 0] / 2, rel=0.1)


def test_midranks_share_ties() -> None:
    assert midranks(np.array([5.0, 1.0, 5.0, 2.0, 5.0])).tolist() == [4.0, 1.0, 4.0, 2.0, 4.0]


def test_interval_reaches_below_a_faultless_sample() -> None:
    s, y = np.arange(20.0), np.arange(20) >= 10
    low, high = auc_interval(s, y, 0.95)
    assert 0.7 < low < 0.9 and high == 1.0
    low, high = auc_interval(-s, y, 0.95)
    assert low == 0.0 and 0.1 < high < 0.3
    few, many = auc_interval(s, y, 0.95)[0], auc_interval(np.arange(200.0), np.arange(200) >= 100, 0.95)[0]
    assert many > few


def test_interval_widens_with_its_level_and_mirrors() -> None:
    s, y = sample(3, 60)
    narrow, wide = auc_interval(s, y, 0.8), auc_interval(s, y, 0.99)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]
    low, high = auc_interval(-s, y, 0.8)
    assert (1 - high, 1 - low) == pytest.approx(narrow)


def test_one_case_of_a_kind_still_has_an_interval() -> None:
    low, high = auc_interval(np.array([0.2, 0.9, 0.4]), np.array([False, True, False]), 0.95)
    assert low < 0.5 and high == 1.0
    low, high = auc_interval(np.array([0.2, 0.3, 0.4]), np.array([False, True, False]), 0.95)
    assert 0 < low < 0.5 < high < 1


def test_logit_interval_stays_inside() -> None:
    low, high = logit_interval(0.99, 0.02, 1.96)
    assert 0 < low < 0.99 < high < 1


def test_thousands_of_resamples_take_a_fraction_of_a_second() -> None:
    s, y = sample(0, 400)
    w = np.random.default_rng(0).integers(0, 3, (2000, 400)).astype(float)
    start = time.process_time()
    weighted_auc(s, y)(w)
    assert time.process_time() - start < 0.5
