from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import linregress, norm, permutation_test

from isocenter.metrics import summarise
from isocenter.metrics.gaps import gaps, trend

rng = np.random.default_rng(0)


def told(n: int, sharp: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    own = np.random.default_rng(seed)
    truth = own.integers(0, 2, n)
    return truth, np.clip(0.5 + sharp * (truth - 0.5) + own.normal(0, 0.25, n), 0, 1)


def test_a_site_that_fares_worse_is_flagged_and_the_others_are_not(classify, binary, scored) -> None:
    site = np.array(["a", "b", "c"])[np.arange(300) % 3]
    truth, p = told(300, np.where(site == "c", 0.0, 1.0))
    scores = scored(binary(truth, p), resamples=500)
    found = {g.group: g for g in gaps(classify, scores, list(site), positive="ill", resamples=500)}
    assert found["c"].flags == ("gap",) and found["c"].difference < -0.3 and found["c"].p_holm < 0.05
    assert found["c"].low <= found["c"].difference <= found["c"].high < 0
    mine = [c for c, s in zip(scores.cases, site, strict=True) if s == "c"]
    own = summarise(classify, mine, method="a", split="test", resamples=10)
    assert found["c"].value == pytest.approx(own.metrics["auc"]["all"].value)
    assert found["c"].n == found["c"].n_subjects == 100 and found["c"].metric == "auc"
    # The rest of a and b holds c: their gap is the other way round.
    assert found["a"].difference > 0
    json.dumps([g.as_json() for g in found.values()], allow_nan=False)


def test_chance_alone_is_seldom_flagged(classify, binary, scored) -> None:
    flagged = 0
    for seed in range(15):
        truth, p = told(120, np.ones(120), seed)
        labels = [str(i % 4) for i in range(120)]
        found = gaps(classify, scored(binary(truth, p), resamples=20), labels, positive="ill", resamples=400)
        flagged += any("gap" in g.flags for g in found)
    assert flagged <= 3


def test_few_subjects_have_no_p(segment, overlaps) -> None:
    cases = overlaps(rng.random(30), groups=[f"g{i // 5}" for i in range(30)])
    scores = summarise(segment, cases, method="a", split="test", resamples=10)
    found = gaps(segment, scores, ["x"] * 15 + ["y"] * 15, resamples=200)
    assert all(g.p is None and "few_subjects" in g.flags and g.low is not None and g.n_subjects == 3 for g in found)
    assert found[0].difference == pytest.approx(-found[1].difference)
    alone = gaps(segment, scores, ["x"] * 5 + ["y"] * 25, resamples=200)
    assert alone[0].low is None and alone[0].difference is not None
    assert gaps(segment, scores, ["x"] * 30) == ()


def test_a_group_of_one_class_has_no_auc(classify, binary, scored) -> None:
    scores = scored(binary([0, 1] * 10 + [1] * 10, rng.random(30)), resamples=10)
    labels = ["a"] * 20 + ["b"] * 10
    found = gaps(replace(classify, metrics=("auc",)), scores, labels, positive="ill", resamples=50)
    assert found[1].value is None and "undefined" in found[1].flags and found[1].p is None
    second = gaps(classify, scores, labels, positive="ill", resamples=50)
    assert {g.metric for g in second} == {"accuracy"} and all(g.difference is not None for g in second)


def test_many_classes_are_compared_by_their_mean(classify, classified, scored) -> None:
    truth = np.arange(60) % 3
    p = np.eye(3)[truth] * 0.4 + 0.2
    scores = scored(classified(truth, p, classes=("a", "b", "c")), resamples=10)
    found = gaps(classify, scores, ["x", "y"] * 30, resamples=50)
    assert [g.value for g in found] == [1.0, 1.0] and found[0].target == "all" and found[0].difference == 0


def test_a_subject_in_both_groups_counts_in_both(segment, overlaps) -> None:
    own = np.repeat(rng.random(20), 2)
    cases = overlaps(own, groups=[f"g{i // 2}" for i in range(40)])
    scores = summarise(segment, cases, method="a", split="test", resamples=10)
    left = gaps(segment, scores, ["left", "right"] * 20, resamples=200)[0]
    assert left.difference == pytest.approx(0) and (left.low, left.high) == pytest.approx((0, 0), abs=1e-12)


def test_the_trend_of_decisions_is_cochran_armitage(classify, binary, scored) -> None:
    years = np.repeat(np.arange(2010, 2020), 20)
    right = rng.random(200) < np.linspace(0.95, 0.5, 200)
    truth = rng.integers(0, 2, 200)
    p = np.where(right, truth, 1 - truth) * 0.8 + 0.1
    found = trend(classify, scored(binary(truth, p), resamples=10), years)
    assert found is not None and found.test == "Cochran-Armitage" and found.n == 200
    assert found.slope == pytest.approx(linregress(years, right.astype(float)).slope)
    share, x = right.mean(), years - years.mean()
    z = (x @ right) / np.sqrt(share * (1 - share) * (x @ x))
    assert found.p == pytest.approx(2 * norm.sf(abs(z))) and found.p < 0.01


def test_the_trend_of_values_is_a_permutation_of_subjects(segment, overlaps) -> None:
    at = np.repeat(np.linspace(0, 1, 24), 2)
    values = np.clip(0.7 - 0.25 * at + rng.normal(0, 0.1, 48), 0, 1)
    cases = overlaps(values, groups=[f"g{i // 2}" for i in range(48)])
    scores = summarise(segment, cases, method="a", split="test", resamples=10)
    found = trend(segment, scores, at)
    x, y = at[::2], values.reshape(-1, 2).mean(1)
    assert found is not None and found.slope == pytest.approx(linregress(x, y).slope) and found.n_subjects == 24
    peer = permutation_test((y,), lambda v: v @ (x - x.mean()), permutation_type="pairings", n_resamples=9999, rng=1)
    assert found.p == pytest.approx(peer.pvalue, abs=0.01) and found.test == "permutation by subject"
    assert trend(segment, scores, at) == found


def test_trends_that_nothing_can_be_said_of(segment, overlaps) -> None:
    scores = summarise(segment, overlaps([0.1, 0.5, None, 0.7]), method="a", split="test", resamples=10)
    few = trend(segment, scores, [1, 2, 3, float("nan")])
    assert few is not None and few.n == 2 and few.p is None and few.slope == pytest.approx(0.4)
    same = trend(segment, scores, [1, 1, 1, 1])
    assert same is not None and same.slope is None
    even = summarise(segment, overlaps([0.5] * 20), method="a", split="test", resamples=10)
    flat = trend(segment, even, list(range(20)))
    assert flat is not None and flat.slope == 0 and flat.p is None
