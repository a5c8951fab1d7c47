"""What cases add to the metrics of a classification, against scikit-learn and the table of rules."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as oracle

from isocenter.data import CaseScore, NotEvaluated, Probabilities, Scores, Task
from isocenter.errors import LabelError, NotFoundError
from isocenter.metrics import answers, records

Cases = Callable[..., list[CaseScore]]
Scored = Callable[..., Scores]
NAMES = ("a", "b", "c")


def values(scores: Scores, target: str = "all") -> dict[str, float | None]:
    return {k: t[target].value for k, t in scores.metrics.items() if target in t}


@pytest.mark.parametrize("seed", range(6))
def test_two_classes_equal_scikit_learn(binary: Cases, scored: Scored, seed: int) -> None:
    rng = np.random.default_rng(seed)
    y = rng.random(60) < 0.4
    y[:2] = True, False
    p = np.clip(rng.normal(0.3 + 0.3 * y, 0.2), 0.01, 0.99).round(2 if seed % 2 else 8)
    got = values(scored(binary(y, p), positive="ill", resamples=20))
    d = p > 0.5
    assert got["auc"] == pytest.approx(oracle.roc_auc_score(y, p), abs=1e-9)
    assert got["accuracy"] == pytest.approx(oracle.accuracy_score(y, d), abs=1e-9)
    assert got["balanced_accuracy"] == pytest.approx(oracle.balanced_accuracy_score(y, d), abs=1e-9)
    assert got["sensitivity"] == pytest.approx(oracle.recall_score(y, d), abs=1e-9)
    assert got["specificity"] == pytest.approx(oracle.recall_score(~y, ~d), abs=1e-9)
    assert got["f1"] == pytest.approx(oracle.f1_score(y, d), abs=1e-9)
    assert got["average_precision"] == pytest.approx(oracle.average_precision_score(y, p), abs=1e-9)
    assert got["brier"] == pytest.approx(oracle.brier_score_loss(y, p), abs=1e-9)
    assert got["log_loss"] == pytest.approx(oracle.log_loss(y, p), abs=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_three_classes_equal_scikit_learn(classified: Cases, scored: Scored, seed: int) -> None:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, 50)
    p = rng.dirichlet([1, 1, 1], 50)
    s = scored(classified(y, p, NAMES), resamples=20)
    got, d = values(s), p.argmax(axis=1)
    assert got["auc"] == pytest.approx(oracle.roc_auc_score(y, p, multi_class="ovr"), abs=1e-9)
    assert got["accuracy"] == pytest.approx(oracle.accuracy_score(y, d), abs=1e-9)
    assert got["balanced_accuracy"] == pytest.approx(oracle.balanced_accuracy_score(y, d), abs=1e-9)
    assert got["sensitivity"] == pytest.approx(oracle.recall_score(y, d, average="macro"), abs=1e-9)
    assert got["f1"] == pytest.approx(oracle.f1_score(y, d, average="macro"), abs=1e-9)
    assert got["log_loss"] == pytest.approx(oracle.log_loss(y, p), abs=1e-9)
    assert got["brier"] == pytest.approx(oracle.brier_score_loss(y, p, labels=[0, 1, 2], scale_by_half=True), abs=1e-9)
    for k, name in enumerate(NAMES):
        one = values(s, name)
        assert one["auc"] == pytest.approx(oracle.roc_auc_score(y == k, p[:, k]), abs=1e-9)
        assert one["specificity"] == pytest.approx(oracle.recall_score(y != k, d != k), abs=1e-9)
        assert one["average_precision"] == pytest.approx(oracle.average_precision_score(y == k, p[:, k]), abs=1e-9)
        assert s.metrics["sensitivity"][name].n == (y == k).sum()


def test_several_labels_at_once_equal_scikit_learn(classified: Cases, scored: Scored) -> None:
    rng = np.random.default_rng(3)
    y = rng.random((40, 3)) < 0.4
    p = rng.random((40, 3))
    s = scored(classified(list(y), p, NAMES), resamples=20)
    got, d = values(s), p >= 0.5
    assert got["auc"] == pytest.approx(oracle.roc_auc_score(y, p, average="macro"), abs=1e-9)
    assert got["f1"] == pytest.approx(oracle.f1_score(y, d, average="macro"), abs=1e-9)
    assert got["accuracy"] == pytest.approx((y == d).mean(), abs=1e-9)
    assert got["brier"] == pytest.approx(((p - y) ** 2).mean(), abs=1e-9)
    each = [oracle.balanced_accuracy_score(y[:, k], d[:, k]) for k in range(3)]
    assert got["balanced_accuracy"] == pytest.approx(np.mean(each), abs=1e-9)
    assert got["log_loss"] == pytest.approx(np.mean([oracle.log_loss(y[:, k], p[:, k]) for k in range(3)]), abs=1e-9)


def test_all_of_two_classes_is_the_positive_one(binary: Cases, scored: Scored) -> None:
    cases = binary([1, 0, 1, 0, 0], [0.9, 0.2, 0.4, 0.6, 0.1])
    s = scored(cases)
    for key in ("sensitivity", "specificity", "f1", "average_precision", "auc", "ece"):
        assert s.metrics[key]["all"] == s.metrics[key]["ill"], key
    turned = scored(cases, positive="normal")
    assert turned.metrics["sensitivity"]["all"] == s.metrics["specificity"]["all"]
    assert turned.metrics["auc"]["all"].value == s.metrics["auc"]["all"].value


def test_one_sided_metrics_are_refused_when_nobody_names_the_positive(classified: Cases, scored: Scored) -> None:
    cases = classified([0, 1, 0, 1], [(0.8, 0.2), (0.3, 0.7), (0.6, 0.4), (0.6, 0.4)], ("left", "right"))
    s = scored(cases)
    for key in ("sensitivity", "specificity", "f1", "average_precision"):
        assert s.metrics[key]["all"].value is None and "no_positive" in s.metrics[key]["all"].flags
        assert s.metrics[key]["left"].value is not None
    assert s.metrics["auc"]["all"].value is not None
    assert scored(cases, positive="right").metrics["f1"]["all"].value is not None
    with pytest.raises(NotFoundError, match="no class"):
        scored(cases, positive="rigth")


def test_no_answer_is_wrong_everywhere(binary: Cases, scored: Scored) -> None:
    y, p = [1, 0, 1, 0], [0.9, 0.1, None, None]
    got = values(scored(binary(y, p), resamples=20))
    # The worst rank: the positive below all, the negative above all.
    assert got["auc"] == oracle.roc_auc_score(y, [0.9, 0.1, -1, 2])
    assert got["accuracy"] == got["balanced_accuracy"] == got["sensitivity"] == got["specificity"] == got["f1"] == 0.5
    assert got["brier"] == pytest.approx((0.01 + 0.01 + 1 + 1) / 4)
    assert got["log_loss"] == pytest.approx((-2 * np.log(0.9) - 2 * np.log(np.finfo(float).eps)) / 4)
    all_silent = values(scored(binary([1, 0], [None, None]), resamples=20))
    assert all_silent["auc"] == all_silent["accuracy"] == all_silent["f1"] == 0.0 and all_silent["brier"] == 1.0


def test_no_answer_among_three_spreads_over_the_wrong_classes(classified: Cases, scored: Scored) -> None:
    s = scored(classified([0, 1, 2], [None, (0, 1, 0), (0, 0, 1)], NAMES), resamples=20)
    assert s.metrics["brier"]["all"].value == pytest.approx((1 + 2 * 0.25) / 2 / 3)
    assert s.metrics["sensitivity"]["a"].value == 0.0
    assert s.metrics["specificity"]["b"].value == 0.5, "wrong for every class"


DEGENERATE: dict[str, tuple[list[int], list[float], dict[str, float | None]]] = {
    "only positives": ([1, 1], [0.9, 0.2], {
        "auc": None, "accuracy": 0.5, "balanced_accuracy": 0.5, "sensitivity": 0.5, "specificity": None, "f1": 2 / 3,
        "average_precision": 1.0}),
    "only negatives": ([0, 0], [0.1, 0.8], {
        "auc": None, "accuracy": 0.5, "balanced_accuracy": 0.5, "sensitivity": None, "specificity": 0.5, "f1": 0.0,
        "average_precision": None}),
    "only negatives, all right": ([0, 0], [0.1, 0.2], {"f1": None, "accuracy": 1.0, "specificity": 1.0}),
    "one case": ([1], [0.7], {"auc": None, "accuracy": 1.0, "sensitivity": 1.0, "specificity": None, "brier": 0.09}),
    "all tied": ([1, 0, 1, 0], [0.4] * 4, {"auc": 0.5, "average_precision": 0.5, "sensitivity": 0.0}),
    "certain and wrong": ([1, 0], [0.0, 1.0], {"auc": 0.0, "brier": 1.0, "log_loss": 36.04365338911715, "ece": None}),
    "certain and right": ([1, 0], [1.0, 0.0], {"auc": 1.0, "brier": 0.0, "log_loss": 0.0, "f1": 1.0}),
}


@pytest.mark.parametrize("name", DEGENERATE)
def test_every_degenerate_set_has_its_documented_value(binary: Cases, scored: Scored, name: str) -> None:
    y, p, wanted = DEGENERATE[name]
    s = scored(binary(y, p), resamples=50)
    json.dumps(s.as_json(), allow_nan=False)
    for key, value in wanted.items():
        if key == "ece":
            assert 0 <= s.metrics[key]["all"].value <= 1
        else:
            assert s.metrics[key]["all"].value == (None if value is None else pytest.approx(value, abs=1e-9)), key
    for targets in s.metrics.values():
        for score in targets.values():
            assert (score.value is None) == ("undefined" in score.flags)
            assert score.value is None or score.low is None or score.low <= score.value <= score.high


def test_a_class_that_nobody_has_leaves_the_mean(classified: Cases, scored: Scored) -> None:
    s = scored(classified([0, 1, 0, 1], np.eye(3)[[0, 1, 1, 1]], NAMES), resamples=20)
    auc = s.metrics["auc"]
    assert auc["c"].value is None and "undefined" in auc["c"].flags
    assert auc["all"].value == pytest.approx((auc["a"].value + auc["b"].value) / 2)
    assert "undefined_classes" in auc["all"].flags


def test_decisions_of_the_method_count_not_one_half(binary: Cases, scored: Scored) -> None:
    cases = binary([1, 0], [0.3, 0.1], decided=["ill", "normal"])
    assert scored(cases).metrics["sensitivity"]["all"].value == 1.0


def test_records_are_small_json_with_truth_probability_and_decision(classify: Task) -> None:
    truth = Probabilities.truth(("normal", "ill"), ["ill"])
    found = records(classify, Probabilities(("ill", "normal"), (0.25, 0.75)), truth)
    assert list(found) == list(classify.metrics)
    assert found["auc"] == {"truth": {"normal": 0, "ill": 1}, "p": {"normal": 0.75, "ill": 0.25}}
    assert found["f1"] == {"truth": {"normal": 0, "ill": 1}, "decision": {"normal": 1, "ill": 0}}
    assert len(json.dumps(found, allow_nan=False)) < 1200
    assert records(classify, NotEvaluated("dark"), truth)["auc"]["p"] is None


def test_classes_that_the_truth_does_not_know(classify: Task) -> None:
    truth = Probabilities.truth(("a", "b"), ["a"])
    found = records(classify, Probabilities(("a", "c"), (0.2, 0.8)), truth)
    assert found["auc"]["p"] == {"a": 0.2, "b": 0.0} and found["accuracy"]["decision"] == {"a": 0, "b": 0}
    with pytest.raises(LabelError, match="in common"):
        records(classify, Probabilities(("x", "y"), (0.2, 0.8)), truth)


def test_answers_are_arrays_in_the_order_of_cases(binary: Cases) -> None:
    a = answers([c.records["auc"] for c in binary([1, 0, 1], [0.9, None, 0.3])])
    assert a.classes == ("normal", "ill") and a.answered.tolist() == [True, False, True]
    assert a.truth[:, 1].tolist() == [True, False, True]
    assert a.rank(1).tolist() == [0.9, 2.0, 0.3]
    assert a.certain()[1].tolist() == [0.0, 1.0]
    with pytest.raises(NotFoundError):
        a.one("sick")


def test_predictive_value_follows_prevalence(binary: Cases, scored: Scored) -> None:
    """Sensitivity and specificity of 0.9 each: F1 is 0.9 at one half, and 0.64 at one tenth."""
    def cohort(ill: int, well: int) -> dict[str, Any]:
        p = [0.9] * int(0.9 * ill) + [0.1] * (ill - int(0.9 * ill)) + [0.1] * int(0.9 * well) + [0.9] * (well // 10)
        return values(scored(binary([1] * ill + [0] * well, p), resamples=20))

    even, rare = cohort(50, 50), cohort(10, 90)
    assert even["sensitivity"] == rare["sensitivity"] == even["specificity"] == rare["specificity"] == 0.9
    assert even["f1"] == pytest.approx(0.9) and rare["f1"] == pytest.approx(2 * 0.5 * 0.9 / 1.4)
    assert rare["accuracy"] == even["accuracy"] == 0.9
    assert rare["balanced_accuracy"] == even["balanced_accuracy"] == pytest.approx(0.9)
