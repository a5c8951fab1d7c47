"""Distances between numbers, and what intervals hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from isocenter import catalog
from isocenter.data import CaseScore, NotEvaluated, Scores, Value, Values
from isocenter.errors import LabelError
from isocenter.metrics import compare, records, summarise, values_of
from isocenter.metrics.gaps import gaps, trend
from isocenter.metrics.regress import record, sides


def scored(truth: Any, answer: Any, *, reach: float | None = None, method: str = "m", unit: str = "years") -> Scores:
    """Scores of numbers; an answer of None is `NotEvaluated`."""
    task, cases = catalog.task("regress"), []
    for i, (t, a) in enumerate(zip(truth, answer, strict=True)):
        low, high = (None, None) if reach is None or a is None else (a - reach, a + reach)
        found = NotEvaluated("dark") if a is None else Values({"age": Value(float(a), unit, low, high)})
        note = "" if a is not None else "dark"
        cases.append(CaseScore(f"c{i}", "", records(task, found, Values.truth("age", float(t), unit)), note))
    return summarise(task, cases, method=method, split="test")


def value(scores: Scores, key: str, target: str = "age") -> float | None:
    return scores.metrics[key][target].value


def test_by_hand() -> None:
    truth, answer = np.array([10.0, 20.0, 30.0, 60.0]), np.array([12.0, 20.0, 26.0, 50.0])
    found = scored(truth, answer, reach=4.0)
    assert value(found, "mae") == 4.0 and value(found, "rmse") == pytest.approx(np.sqrt(30.0))
    assert value(found, "r2") == pytest.approx(1 - 120 / ((truth - 30) ** 2).sum())
    assert value(found, "within") == 0.75 and value(found, "mae", "all") == 4.0
    one = found.metrics["mae"]["age"]
    assert one.unit == "years" and one.n == 4 and one.low is not None and one.low <= 4 <= one.high
    assert found.metrics["r2"]["age"].unit == ""


def test_r2_is_zero_for_the_mean_and_undefined_without_spread() -> None:
    truth = np.arange(12.0)
    assert value(scored(truth, np.full(12, 5.5)), "r2") == pytest.approx(0.0)
    assert value(scored(truth, -truth), "r2") < -1
    assert value(scored(np.full(12, 1e6 + 0.1), truth), "r2") is None
    large = scored(1e6 + truth, 1e6 + truth + 0.5)
    assert value(large, "r2") == pytest.approx(1 - 12 * 0.25 / ((truth - 5.5) ** 2).sum())


def test_a_case_without_an_answer_gains_nothing_over_knowing_nothing() -> None:
    truth = np.arange(12.0)
    silent = scored(truth, [None] * 12)
    assert value(silent, "r2") == pytest.approx(0.0) and value(silent, "mae") == pytest.approx(3.0)
    assert value(silent, "within") == 0.0
    some = scored(truth, [None, *truth[1:]], reach=1.0)
    assert value(some, "mae") == pytest.approx(5.5 / 12) and value(some, "rmse") == pytest.approx(5.5 / np.sqrt(12))
    assert value(some, "within") == pytest.approx(11 / 12)
    kept = [c.records["mae"] for c in some.cases]
    assert values_of(kept, "all")[:2].tolist() == [5.5, 0.0]
    t, a = sides(kept, "age")
    assert t.tolist() == truth.tolist() and a.tolist() == [5.5, *truth[1:]]


def test_answers_without_an_interval_leave_within() -> None:
    found = scored([1.0, 2.0], [1.0, 2.0])
    assert value(found, "within") is None and found.metrics["within"]["age"].n == 0


def test_units_and_names_must_be_those_of_the_truth() -> None:
    truth = Values.truth("age", 60, "years")
    with pytest.raises(LabelError, match="another unit"):
        record(Values({"age": Value(720, "months")}), truth)
    with pytest.raises(LabelError, match="no value 'age'"):
        record(Values({"weight": Value(80)}), truth)
    assert record(Values({"age": Value(61)}), truth)["values"] == {"age": 1.0}


def test_several_numbers_stand_beside_their_mean() -> None:
    truth = Values({"a": Value(1.0, "mm"), "b": Value(2.0, "mm")})
    answer = Values({"a": Value(2.0, "mm"), "b": Value(5.0, "mm")})
    task = catalog.task("regress")
    found = summarise(task, [CaseScore("x", "", records(task, answer, truth))], method="m", split="test")
    assert {t: s.value for t, s in found.metrics["mae"].items()} == {"a": 1.0, "b": 3.0, "all": 2.0}


def test_comparisons_groups_and_trends() -> None:
    rng = np.random.default_rng(0)
    truth = rng.uniform(20, 80, 60)
    near, far = truth + rng.normal(0, 2, 60), truth + rng.normal(0, 8, 60)
    task = catalog.task("regress")
    a, b = scored(truth, near, method="near"), scored(truth, far, method="far")
    tests = {t.test: t for t in compare(task, [a, b])}
    assert set(tests) == {"paired bootstrap", "wilcoxon"} and tests["wilcoxon"].p < 0.001
    assert tests["paired bootstrap"].difference == pytest.approx(value(a, "mae") - value(b, "mae"))
    labels = ["new" if i % 2 else "old" for i in range(60)]
    mixed = scored(truth, np.where(np.arange(60) % 2, near, truth + 20), method="mixed")
    [old] = [g for g in gaps(task, mixed, labels) if g.group == "old"]
    assert old.metric == "mae" and old.difference > 15 and "gap" in old.flags
    rising = scored(truth, truth + np.arange(60.0))
    along = trend(task, rising, np.arange(60.0))
    assert along is not None and along.slope == pytest.approx(1.0) and along.p < 0.01
