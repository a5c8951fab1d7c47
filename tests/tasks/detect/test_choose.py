from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from isocenter.data import Boxes, Case, Cases, Progress, Watch
from isocenter.errors import LabelError
from isocenter.tasks.detect._choose import best, examples, f1, kinds_of, limits_of, sides_of


@dataclass(frozen=True)
class Oracle:
    """Knows the boxes, moves them, and adds as many wrong ones of a lower score."""

    shift: float = 0.0
    wrong: float = 0.0

    def predict(self, case: Case) -> Boxes:
        truth = case.truth()
        edges = np.concatenate([truth.edges + self.shift, truth.edges / 9])
        scores = np.r_[np.full(len(truth), 0.8), np.full(len(truth), self.wrong)]
        return Boxes(edges, np.tile(truth.labels, 2), truth.classes, truth.geometry, scores)


def test_examples_are_spread_over_train(made) -> None:
    cases = made(40)
    shown = examples(cases)
    assert len(shown) == 24
    assert shown[0].case.id == "c0"
    assert shown[-1].case.id == "c39"
    assert shown[0].array.shape == (1, 64, 80)
    assert shown[0].case.image().pixels() is shown[0].case.image().pixels(), "pixels are held in memory"


def test_further_cases_are_opened_for_a_class_that_was_not_met(made) -> None:
    cases = made(40)

    def only(case: Case, rare: bool) -> Case:
        truth = case.truth()
        kept = truth.chosen((truth.labels == 1) | rare)
        return replace(case, load_truth=lambda: kept)

    entries = tuple(replace(e, open=lambda c=e.open(), i=i: only(c, i == 37)) for i, e in enumerate(cases.entries))
    shown = examples(replace(cases, entries=entries))
    assert [e.case.id for e in shown].count("c37") == 1
    with pytest.raises(LabelError, match="no box in train"):
        examples(replace(cases, entries=entries[:30]))


def test_other_truths_are_refused(made) -> None:
    cases = made(6)
    with pytest.raises(LabelError, match="over the classes of train"):
        examples(replace(cases, classes=("x",)))


def test_ignored_boxes_are_not_learnt(made) -> None:
    cases = made(6)

    def crowded(case: Case) -> Case:
        truth = case.truth()
        return replace(case, load_truth=lambda: replace(truth, ignored=np.arange(len(truth)) == 0))

    entries = tuple(replace(e, open=lambda c=e.open(): crowded(c)) for e in cases.entries)
    before, after = examples(cases), examples(replace(cases, entries=entries))
    assert [len(e.truth) - 1 for e in before] == [len(e.truth) for e in after]
    assert kinds_of(after).classes == ("big", "small")


def test_the_best_candidate_with_its_own_limit(made) -> None:
    shown = examples(made(8))
    seen: list[Progress] = []
    candidates = [Oracle(9.0), Oracle(0.0, 0.3), Oracle(0.0, 0.9)]
    found = best(candidates, shown, watch=Watch(report=seen.append), share=(0.5, 1.0))
    assert found == candidates[1]
    assert [round(p.share, 2) for p in seen] == [0.67, 0.83, 1.0]
    assert limits_of(sides_of(found, shown), ("big", "small")) == pytest.approx((0.55, 0.55))
    assert best(candidates[:1], shown, watch=Watch()) == candidates[0]


def test_f1_counts_boxes_from_one_half(made) -> None:
    shown = examples(made(8))
    assert f1(sides_of(Oracle(0.0, 0.6), shown), ("big", "small")) == pytest.approx(2 / 3)
    assert f1(sides_of(Oracle(0.0, 0.3), shown), ("big", "small")) == pytest.approx(1.0)
    assert f1([], ("big", "small")) == 0.0


def test_empty_train(made) -> None:
    cases: Cases = made(6)
    none = tuple(
        replace(e, open=lambda c=e.open(): replace(c, load_truth=lambda: c.truth().chosen(np.zeros(0, int))))
        for e in cases.entries
    )
    with pytest.raises(LabelError, match="no box in train"):
        examples(replace(cases, entries=none))
