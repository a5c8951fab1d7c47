"""What a classical method learns from train."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from isocenter.data import IGNORE, Case, Cases, NotEvaluated, Segmentation, Watch
from isocenter.errors import LabelError
from isocenter.tasks.segment._choose import best, dice, examples, region


def cases(n: int = 5, *, classes: tuple[str, ...] = ("organ",), top: int = 1) -> Cases:
    rng = np.random.default_rng(0)
    masks = [np.pad(np.full((4, 4), 1 + i % top), 3) for i in range(n)]
    return Cases.from_arrays([m + 0.1 * rng.random(m.shape) for m in masks], masks, task="segment", classes=classes)


@dataclass(frozen=True)
class Above:
    level: float

    def predict(self, case: Case) -> Segmentation | NotEvaluated:
        if self.level < 0:
            return NotEvaluated("too low")
        image = case.image()
        return Segmentation((image.pixels() > self.level).astype(np.uint8), ("background", "organ"), image.geometry)


def test_the_best_candidate_wins_and_the_first_on_a_tie() -> None:
    assert best([Above(9.0), Above(0.5), Above(0.6), Above(-1.0)], cases(), watch=Watch()).level == 0.5


def test_progress_is_told() -> None:
    said = []
    best([Above(9.0), Above(0.5)], cases(), watch=Watch(report=said.append), share=(0.5, 1.0))
    assert [p.share for p in said] == pytest.approx([0.6, 0.7, 0.8, 0.9, 1.0])
    assert said[-1].score == 1.0


def test_pixels_of_ignore_do_not_count() -> None:
    case = cases()[0]
    truth = case.truth()
    labels = truth.labels.copy()
    labels[0] = IGNORE
    answer = truth.labels.copy()
    answer[0] = 1
    found = Segmentation(answer, truth.names, truth.geometry)
    assert dice(found, labels == 1, labels != IGNORE) == 1.0
    assert dice(found, labels == 1, np.ones_like(labels, bool)) < 1.0
    assert dice(NotEvaluated("no"), labels == 1, labels != IGNORE) == 0.0


def test_several_classes_are_one_region() -> None:
    both = cases(4, classes=("a", "b"), top=2)
    assert region(both) == "foreground"
    assert region(cases()) == "organ"
    assert all(mask.sum() == 16 for _, mask, _ in examples(both))


def test_train_without_labels_is_refused() -> None:
    empty = Cases.from_arrays([np.zeros((4, 4))] * 3, [np.zeros((4, 4), int)] * 3, task="segment", classes=("organ",))
    with pytest.raises(LabelError, match="no labelled pixel"):
        best([Above(0.1), Above(0.2)], empty, watch=Watch())
