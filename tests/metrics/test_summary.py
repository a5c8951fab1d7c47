"""From cases to numbers with n, interval and flags."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from isocenter.data import CaseScore, NotEvaluated, Scores, Segmentation, Task
from isocenter.errors import InputError, UsageError
from isocenter.metrics import records, summarise

Cases = Callable[..., list[CaseScore]]
Scored = Callable[..., Scores]


def summed(task: Task, cases: list[CaseScore], **more: object) -> Scores:
    return summarise(task, cases, method="m", split="test", **more)  # type: ignore[arg-type]


def test_mean_dice_with_n_and_interval(segment: Task, overlaps: Cases) -> None:
    x = np.random.default_rng(0).beta(8, 2, 40)
    s = summed(segment, overlaps(x))
    score = s.metrics["dice"]["lung"]
    assert score.value == pytest.approx(x.mean()) and score.n == 40 and score.flags == ()
    half = 2.02 * x.std(ddof=1) / np.sqrt(40)
    assert (score.low, score.high) == pytest.approx((x.mean() - half, x.mean() + half), abs=0.01)
    assert s.metrics["dice"]["all"] == score
    assert s.n_subjects == 40 and s.interval.by == "group" and s.interval.level == 0.95
    assert s.method == "m" and s.split == "test" and s.task == "segment"


def test_same_seed_same_numbers(segment: Task, overlaps: Cases) -> None:
    cases = overlaps(np.random.default_rng(0).random(20))
    assert summed(segment, cases, seed=4) == summed(segment, cases, seed=4)
    assert summed(segment, cases, seed=4).metrics != summed(segment, cases, seed=5).metrics


def test_a_case_that_does_not_enter_is_not_counted(segment: Task, overlaps: Cases) -> None:
    score = summed(segment, overlaps([0.5, None, 0.7, None])).metrics["dice"]["lung"]
    assert score.value == pytest.approx(0.6) and score.n == 2


def test_few_groups_are_flagged_and_one_group_has_no_interval(segment: Task, overlaps: Cases) -> None:
    x = np.random.default_rng(1).random(12)
    few = summed(segment, overlaps(x, [f"p{i // 2}" for i in range(12)]))
    assert few.metrics["dice"]["lung"].flags == ("few_subjects",) and few.n_subjects == 6
    assert few.metrics["dice"]["lung"].low is not None
    one = summed(segment, overlaps(x, ["p"] * 12)).metrics["dice"]["lung"]
    assert one.flags == ("few_subjects", "one_subject") and one.low is None and one.high is None
    assert one.value == pytest.approx(x.mean()) and one.n == 12


def test_flags_go_by_the_groups_that_enter(segment: Task, overlaps: Cases) -> None:
    values = [0.5, 0.6, 0.7] + [None] * 20
    assert "few_subjects" in summed(segment, overlaps(values)).metrics["dice"]["lung"].flags


def test_grouped_cases_have_wider_intervals_than_their_number_suggests(segment: Task, overlaps: Cases) -> None:
    rng = np.random.default_rng(2)
    people = np.repeat(np.arange(20), 10)
    x = np.clip(0.8 + 0.08 * rng.normal(size=20)[people] + 0.02 * rng.normal(size=200), 0, 1)
    naive = summed(segment, overlaps(x)).metrics["dice"]["lung"]
    honest = summed(segment, overlaps(x, [f"p{i}" for i in people])).metrics["dice"]["lung"]
    assert honest.high - honest.low > 2 * (naive.high - naive.low)


def test_shares_of_grouped_cases_are_resampled_and_single_ones_by_formula(binary: Cases, scored: Scored) -> None:
    y, p = [1] * 30 + [0] * 30, [0.9] * 26 + [0.1] * 34
    single = scored(binary(y, p)).metrics["sensitivity"]["all"]
    assert (single.low, single.high) == pytest.approx((0.7032, 0.9469), abs=1e-4), "Wilson for 26 of 30"
    grouped = scored(binary(y, p, groups=[f"g{i // 2}" for i in range(60)])).metrics["sensitivity"]["all"]
    assert grouped.value == single.value and (grouped.low, grouped.high) != (single.low, single.high)


def test_a_faultless_sample_does_not_prove_a_faultless_method(binary: Cases, scored: Scored) -> None:
    y, p = [1, 0] * 12, [0.9, 0.1] * 12
    s = scored(binary(y, p))
    for key in ("auc", "accuracy", "balanced_accuracy", "sensitivity", "specificity", "f1", "average_precision"):
        score = s.metrics[key]["all"]
        assert score.value == 1.0 and score.high == 1.0 and 0.5 < score.low < 0.95, key
    assert "no_variation" in s.metrics["f1"]["all"].flags


def test_identical_values_say_so(segment: Task, overlaps: Cases) -> None:
    score = summed(segment, overlaps([0.5] * 12)).metrics["dice"]["lung"]
    assert (score.low, score.high) == (0.5, 0.5) and score.flags == ("no_variation",)
    perfect = summed(segment, overlaps([1.0] * 12)).metrics["dice"]["lung"]
    assert perfect.low == pytest.approx(12 / (12 + 1.96**2), abs=1e-3) and perfect.high == 1.0


def test_few_cases_of_the_rarer_kind_are_flagged(binary: Cases, scored: Scored) -> None:
    y = [1] * 4 + [0] * 40
    s = scored(binary(y, np.random.default_rng(0).random(44)))
    assert "few_in_class" in s.metrics["auc"]["all"].flags and "few_subjects" not in s.metrics["auc"]["all"].flags
    assert "few_subjects" in s.metrics["sensitivity"]["all"].flags and s.metrics["sensitivity"]["all"].n == 4
    assert s.metrics["specificity"]["all"].flags == ()


def test_resamples_without_the_class_are_flagged_unstable(binary: Cases, scored: Scored) -> None:
    cases = binary([1] + [0] * 19, np.linspace(0.99, 0.01, 20), groups=[f"g{i // 2}" for i in range(20)])
    assert "unstable" in scored(cases).metrics["auc"]["all"].flags
    assert "unstable" not in scored(cases).metrics["accuracy"]["all"].flags


def test_mixed_units_are_all_taken_in_pixels(segment: Task, mask: Callable[..., Segmentation]) -> None:
    t = np.zeros((10, 10))
    t[2:6, 2:6] = 1
    cases = []
    for i, spacing in enumerate([(2.0, 2.0), None, (0.5, 1.0)]):
        found = records(segment, mask(np.roll(t, 1, 0), spacing=spacing), mask(t, spacing=spacing))
        cases.append(CaseScore(f"c{i}", f"g{i}", json.loads(json.dumps(found))))
    s = summed(segment, cases)
    score = s.metrics["hd95"]["foreground"]
    assert score.unit == "px" and "mixed_units" in score.flags and score.value == pytest.approx(1.0)
    assert s.metrics["false_volume"]["foreground"].unit == "px"
    assert summed(segment, cases[:1]).metrics["hd95"]["foreground"].unit == "mm"
    assert summed(segment, cases[1:2]).metrics["hd95"]["foreground"].flags[:1] == ("few_subjects",)
    assert "tolerance_one_pixel_diagonal" in s.metrics["nsd"]["all"].flags


def test_all_is_the_unweighted_mean_over_classes(segment: Task, mask: Callable[..., Segmentation]) -> None:
    rng = np.random.default_rng(0)
    cases = []
    for i in range(12):
        t = rng.integers(0, 3 if i < 4 else 2, (6, 6))
        found = records(segment, mask(rng.integers(0, 3, (6, 6)), "a", "b"), mask(t, "a", "b"))
        cases.append(CaseScore(f"c{i}", f"g{i}", found))
    d = summed(segment, cases).metrics["dice"]
    assert (d["a"].n, d["b"].n, d["all"].n) == (12, 4, 12)
    assert d["all"].value == pytest.approx((d["a"].value + d["b"].value) / 2)
    assert set(d) == {"a", "b", "foreground", "all"}, "the union is shown and takes no part in the mean"
    assert summed(segment, cases).metrics["false_volume"]["b"].n == 8


def test_a_method_that_knows_foreground_only_has_that_target_only(
    segment: Task, mask: Callable[..., Segmentation]
) -> None:
    t = mask([[1, 2], [0, 0]], "a", "b")
    answer = mask([[1, 1], [0, 0]])
    cases = [CaseScore("c0", "g0", records(segment, answer, t)),
             CaseScore("c1", "g1", records(segment, NotEvaluated("dark"), t), "not evaluated: dark")]
    d = summed(segment, cases).metrics["dice"]
    assert list(d) == ["foreground"] and d["foreground"].value == 0.5


def test_unanswered_cases_count_unless_reported_apart(binary: Cases, scored: Scored) -> None:
    y, p = [1, 0] * 20, [0.9, 0.1] * 19 + [None, None]
    s = scored(binary(y, p))
    assert s.metrics["accuracy"]["all"].value == 0.95
    [note] = s.notes
    assert note.startswith("2 of 40 cases not evaluated, counted as wrong or empty (too dark)")
    r = scored(binary(y, p), abstain="report")
    assert r.metrics["accuracy"] == s.metrics["accuracy"]
    apart = r.metrics["accuracy_answered"]["all"]
    assert apart.value == 1.0 and apart.n == 38 and "answered_only" in apart.flags
    coverage = r.metrics["coverage"]["all"]
    assert coverage.value == 0.95 and coverage.n == 40 and 0.8 < coverage.low < 0.95 < coverage.high < 1
    assert "coverage" not in s.metrics


def test_nobody_answered(binary: Cases, scored: Scored) -> None:
    s = scored(binary([1, 0], [None, None]), abstain="report")
    assert s.metrics["coverage"]["all"].value == 0.0 and "accuracy_answered" not in s.metrics


def test_unknown_patients_are_said(segment: Task, overlaps: Cases) -> None:
    s = summed(segment, [replace(c, group="") for c in overlaps([0.5, 0.6])])
    assert s.notes == ("patients unknown: a case without a group is its own",) and s.n_subjects == 2


def test_every_score_is_json_without_nan(segment: Task, mask: Callable[..., Segmentation]) -> None:
    empty, dot, full = np.zeros((4, 5)), np.eye(4, 5), np.ones((4, 5))
    for truths in ((empty, empty), (dot, full), (full, full), (empty, dot)):
        for answers in ((empty, empty), (full, dot), (dot, dot)):
            cases = [CaseScore(f"c{i}", f"g{i}", records(segment, mask(a), mask(t)))
                     for i, (a, t) in enumerate(zip(answers, truths, strict=True))]
            s = summed(segment, cases, resamples=50)
            json.dumps(s.as_json(), allow_nan=False)
            for targets in s.metrics.values():
                for score in targets.values():
                    assert (score.value is None) == ("undefined" in score.flags)
                    assert score.low is None or score.low <= score.value <= score.high


def test_refusals(segment: Task, overlaps: Cases) -> None:
    cases = overlaps([0.5, 0.6])
    with pytest.raises(InputError, match="no case"):
        summed(segment, [])
    with pytest.raises(InputError, match="twice"):
        summed(segment, [cases[0], cases[0]])
    with pytest.raises(InputError, match="no record"):
        summed(segment, [replace(cases[0], records={"dice": cases[0].records["dice"]})])
    for wrong in ({"abstain": "skip"}, {"level": 1.0}, {"resamples": 0}):
        with pytest.raises(UsageError):
            summed(segment, cases, **wrong)


def test_all_metrics_of_400_cases_take_less_than_a_second(binary: Cases, scored: Scored) -> None:
    rng = np.random.default_rng(0)
    cases = binary(rng.random(400) < 0.4, rng.random(400))
    start = time.process_time()
    scored(cases)
    assert time.process_time() - start < 1.0


def test_permuted_answers_are_worth_a_coin(binary: Cases, scored: Scored) -> None:
    """Sanity: with probabilities dealt at random, the interval of AUC holds one half about 95 times in 100."""
    rng = np.random.default_rng(7)
    y = rng.random(60) < 0.5
    p = rng.random(60)
    held = 0
    for _ in range(60):
        score = scored(binary(y, rng.permutation(p), only=("auc",)), resamples=20, only=("auc",)).metrics["auc"]["all"]
        held += score.low <= 0.5 <= score.high
    assert held >= 51


def test_balanced_accuracy_covers(binary: Cases, scored: Scored) -> None:
    rng = np.random.default_rng(8)
    held = 0
    for _ in range(100):
        y = np.arange(60) < 20
        right = rng.random(60) < np.where(y, 0.7, 0.9)
        cases = binary(y, np.where(right == y, 0.9, 0.1), only=("balanced_accuracy",))
        score = scored(cases, resamples=5, only=("balanced_accuracy",)).metrics["balanced_accuracy"]["all"]
        held += score.low <= 0.8 <= score.high
    assert held >= 88
