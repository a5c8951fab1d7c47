"""What a classical method learns from train: the few fields that stand open, chosen by Dice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np

from isocenter.data import IGNORE, Case, Cases, NotEvaluated, Predictor, Progress, Segmentation, Watch
from isocenter.errors import LabelError
from isocenter.ops.array import Array
from isocenter.tasks._looked import in_memory, looked_at

M = TypeVar("M", bound=Predictor[Segmentation])


def region(train: Cases) -> str:
    """Name of the answer: that of the only class of the truth, else "foreground" for their union."""
    return train.classes[0] if len(train.classes) == 1 else "foreground"


def examples(train: Cases) -> Iterator[tuple[Case, Array, Array]]:
    """The cases of `looked_at` that hold labelled pixels: case (pixels in memory), mask of all classes, what counts.

    Raises
    ------
    LabelError
        None of them holds a labelled pixel.
    """
    found = False
    for i in looked_at(train):
        case = in_memory(train[i])
        truth = case.truth()
        if not isinstance(truth, Segmentation):
            continue
        counts = truth.labels != IGNORE
        mask = counts & (truth.labels != 0)
        if mask.any():
            found = True
            yield case, mask, counts
    if not found:
        raise LabelError("the training cases hold no labelled pixel", where=train.name, remedy="Check the masks")


def dice(found: Segmentation | NotEvaluated, mask: Array, counts: Array) -> float:
    """Dice of the answer's first region where pixels count; 0 for no answer."""
    if isinstance(found, NotEvaluated):
        return 0.0
    answer = (found.labels == 1) & counts
    return float(2 * np.count_nonzero(answer & mask) / (np.count_nonzero(answer) + np.count_nonzero(mask)))


def best(candidates: Sequence[M], train: Cases, *, watch: Watch, share: tuple[float, float] = (0.0, 1.0)) -> M:
    """The candidate with the greatest mean Dice over `examples`; the first on a tie.

    Parameters
    ----------
    candidates
        At least one; a single one is returned without looking.
    train
        Cases with truth.
    watch
        Receives progress.
    share
        Part of the whole work that this choice is.
    """
    if len(candidates) == 1:
        return candidates[0]
    scores = []
    (low, high), n_cases = share, len(looked_at(train))
    for n, (case, mask, counts) in enumerate(examples(train)):
        scores.append([dice(c.predict(case), mask, counts) for c in candidates])
        done = low + (high - low) * (n + 1) / n_cases
        watch.report(Progress("choose", done, score=float(np.max(np.mean(scores, axis=0)))))
    return candidates[int(np.argmax(np.mean(scores, axis=0)))]
