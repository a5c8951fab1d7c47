"""The value behind a report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from isocenter.data import Cases, CaseScore, NotEvaluated, Probabilities, Scores, Task
from isocenter.errors import InputError, NotFoundError
from isocenter.metrics import records, summarise
from isocenter.report import Curves, Data, MethodResult, Run

TASK = Task("classify", "Probabilities", ("image",), ("auc", "accuracy", "sensitivity", "ece"), "")


def scored(
    classes: tuple[str, ...],
    truths: list[list[str]],
    answers: list[tuple[float, ...] | None],
    *,
    multilabel: bool = False,
) -> Scores:
    cases = []
    for i, (truth, p) in enumerate(zip(truths, answers, strict=True)):
        given = NotEvaluated("dark") if p is None else Probabilities(classes, p, multilabel)
        cases.append(
            CaseScore(
                f"c{i}",
                f"g{i}",
                records(TASK, given, Probabilities.truth(classes, truth, multilabel=multilabel)),
                "" if p else "dark",
            )
        )
    return summarise(TASK, cases, method="cnn", split="test", resamples=50)


def test_data_counts_cases_subjects_and_classes_by_split() -> None:
    cases = Cases.from_arrays(
        np.zeros((5, 4, 4)),
        ["sick", "normal", "sick", "sick", "normal"],
        subjects=["a", "a", "b", "c", "c"],
        splits=["train", "train", "train", "test", "test"],
    )
    data = Data.of(replace(cases, name="set"), facts={"size": "4 x 4"})
    assert data.splits == {"train": {"cases": 3, "subjects": 2}, "test": {"cases": 2, "subjects": 1}}
    assert data.counts["train"] == {"sick": 2, "normal": 1}
    assert data.subjects_known and data.name == "set" and data.facts == {"size": "4 x 4"}


def test_data_without_subjects_or_splits_say_so() -> None:
    data = Data.of(Cases.from_arrays(np.zeros((3, 4, 4)), np.zeros((3, 4, 4), np.uint8), task="segment"))
    assert not data.subjects_known
    assert data.splits == {"not split": {"cases": 3, "subjects": 3}}
    assert data.counts == {}


def test_curves_of_two_classes_are_about_the_positive_one() -> None:
    answers: list[tuple[float, ...] | None] = [(0.1, 0.9), (0.8, 0.2), (0.4, 0.6), (0.7, 0.3), None]
    c = Curves.of(
        scored(("normal", "sick"), [["sick"], ["normal"], ["sick"], ["normal"], ["sick"]], answers),
        threshold=0.5,
        resamples=50,
    )
    assert (c.positive, c.n, c.threshold) == ("sick", 5, 0.5)
    assert c.probabilities == (0.9, 0.2, 0.6, 0.3)
    assert c.present == (True, False, True, False)
    assert c.confusion is not None and c.confusion.columns == ("normal", "sick", "not evaluated")
    assert c.operating == (0.0, pytest.approx(2 / 3))
    assert c.auc is not None and c.auc.n == 5


def test_curves_of_more_classes_need_a_positive_one() -> None:
    classes = ("a", "b", "c")
    s = scored(
        classes, [["a"], ["b"], ["c"], ["a"]], [(0.6, 0.2, 0.2), (0.1, 0.8, 0.1), (0.5, 0.1, 0.4), (0.7, 0.2, 0.1)]
    )
    bare = Curves.of(s)
    assert bare.roc is None and bare.confusion is not None and bare.confusion.counts.shape == (3, 3)
    one = Curves.of(s, "b", resamples=50)
    assert one.roc is not None and one.positive == "b"
    with pytest.raises(NotFoundError, match="no class"):
        Curves.of(s, "d")


def test_curves_of_several_labels_at_once_have_no_common_confusion() -> None:
    s = scored(
        ("a", "b"), [["a"], ["a", "b"], [], ["b"]], [(0.9, 0.1), (0.6, 0.7), (0.2, 0.1), (0.3, 0.9)], multilabel=True
    )
    assert Curves.of(s).confusion is None
    assert Curves.of(s, "b", resamples=50).confusion is not None


def test_segmentations_have_no_curves(segmented: Callable[..., Run]) -> None:
    with pytest.raises(InputError):
        Curves.of(segmented().scores[0])


def test_the_leading_metric_is_the_one_asked_for_or_the_first(segmented: Callable[..., Run]) -> None:
    run = segmented()
    assert run.metric == "dice"
    assert segmented(lead="hd95").metric == "hd95"
    assert segmented(lead="auc").metric == "dice"
    assert Run("empty").metric == ""


def test_chapters_are_walked_outermost_first() -> None:
    inner = Run("c")
    assert [r.title for r in Run("a", parts=(Run("b", parts=(inner,)), Run("d"))).all_runs()] == ["a", "b", "c", "d"]


def test_a_method_without_scores_is_no_score() -> None:
    assert Run("a", methods=(MethodResult("reader"),)).scores == ()
