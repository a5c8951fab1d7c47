"""What a classical method learns from train: the few fields that stand open, chosen by Dice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from isocenter.data import IGNORE, Case, Cases, NotEvaluated, Predictor, Progress, Segmentation, Watch
from isocenter.errors import LabelError
from isocenter.ops.array import Array

# Bright or dark shows after a few cases; more would only cost time. As many as hold about this number of pixels, within
# bounds.
PIXELS = 6_000_000
FEWEST, MOST = 4, 24

M = TypeVar("M", bound=Predictor[Segmentation])


def region(train: Cases) -> str:
    """Name of the answer: that of the only class of the truth, else "foreground" for their union."""
    return train.classes[0] if len(train.classes) == 1 else "foreground"


def looked_at(train: Cases) -> list[int]:
    """Positions of 4 to 24 cases evenly spaced over train: fewer where images are large."""
    size = int(np.prod(train[0].image().geometry.shape))
    n = min(len(train), max(FEWEST, min(MOST, PIXELS // size)))
    return [int(i) for i in np.unique(np.linspace(0, len(train) - 1, n).round())]


def examples(train: Cases) -> Iterator[tuple[Case, Array, Array]]:
    """The cases of `looked_at` that hold labelled pixels: case (pixels in memory), mask of all classes, what counts.

    Raises
    ------
    LabelError
        None of them holds a labelled pixel.
    """
    found = False
    for i in looked_at(train):
        case = _held(train[i])
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


def _held(case: Case) -> Case:
    image = case.image()
    pixels = image.pixels()
    role = next(r for r, im in case.images.items() if im is image)
    return replace(case, images={**case.images, role: image.replaced(lambda: pixels)})


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
