"""The score from which a box counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isocenter.metrics.detect import BoxSide
from isocenter.ops.matching import FALSE, TRUE

# The limit where nothing was right.
UNDECIDED = 0.5


def best_limit(sides: Sequence[BoxSide]) -> float:
    """The score limit of the greatest F1 at IoU 0.5 of one class over a set of images.

    It lies halfway to the next lower score; 0.5 where no box was right. Of each image the 100 surest boxes count.

    Parameters
    ----------
    sides
        The class on every image.
    """
    scores = np.concatenate([s.scores[: s.coco.shape[1]] for s in sides] or [np.zeros(0)])
    kinds = np.concatenate([s.coco[0] for s in sides] or [np.zeros(0, np.int8)])
    order = np.argsort(-scores, kind="stable")
    scores, kinds = scores[order], kinds[order]
    right, wrong = np.cumsum(kinds == TRUE), np.cumsum(kinds == FALSE)
    if not len(scores) or not right[-1]:
        return UNDECIDED
    f1 = 2 * right / (right + wrong + sum(len(s.true) for s in sides))
    # A limit lies between two scores, not among equal ones.
    f1 = np.where(np.append(scores[1:], -1.0) < scores, f1, -1.0)
    at = int(np.argmax(f1))
    below = float(scores[at + 1]) if at + 1 < len(scores) else 0.0
    return (float(scores[at]) + below) / 2
