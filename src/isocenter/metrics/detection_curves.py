"""Average precision and FROC of all boxes of a set, as functions of how often each image counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from isocenter.metrics.metric import ratio
from isocenter.ops.array import Array
from isocenter.ops.matching import FALSE, OUT, TRUE

# Written as COCO's tool computes them: the last digit decides where a recall meets a threshold.
IOUS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0.0, 1.0, 101)
# LUNA16: false positives an image.
RATES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
# Numbers held at once per array.
BLOCK = 500_000
# Boxes that are looked at first where only those above a number of false positives matter.
FIRST = 1024

At = Callable[[Array], Array]


@dataclass(frozen=True, eq=False)
class Answered:
    """The boxes that were answered for one class, over all images.

    Parameters
    ----------
    image
        int (d,): which image each lies on.
    scores
        float64 (d,).
    hits
        int8 (t, d): FALSE, TRUE or OUT at each of t criteria.
    true
        float64 (n,): boxes of the truth on each of n images.
    """

    image: Array
    scores: Array
    hits: Array
    true: Array

    def by_score(self) -> Answered:
        """The same by falling score, in their order where scores are equal."""
        order = np.argsort(-self.scores, kind="stable")
        return Answered(self.image[order], self.scores[order], self.hits[:, order], self.true)


def average_precision(answered: Answered) -> At:
    """COCO's average precision: precision, made non-increasing, at 101 recalls; the mean over the criteria.

    Source: Lin et al., Microsoft COCO, ECCV 2014; the 101 recalls are those of its evaluation.

    Returns
    -------
    callable
        Weights (r, n) to (r,), NaN where no box of the truth is drawn. An image that counts twice is two images.
    """
    a = answered.by_score()
    # What comes after the last box that is right changes nothing.
    last = int(np.flatnonzero((a.hits == TRUE).any(axis=0)).max(initial=-1)) + 1
    image, hits = a.image[:last], a.hits[:, :last]

    def at(weights: Array) -> Array:
        counts = weights[:, image]
        total = (weights @ a.true)[:, None]
        called = np.cumsum(counts, axis=1)
        each = [_precision(counts, called, row, total) for row in hits]
        return np.where(total[:, 0] > 0, np.mean(each, axis=0), np.nan)

    return _in_blocks(at, last)


def _precision(counts: Array, called: Array, hits: Array, total: Array) -> Array:
    """(r,): mean over the 101 recalls of the best precision at that recall or a higher one."""
    right = np.flatnonzero(hits == TRUE)
    if not len(right):
        return np.zeros(len(counts))
    found = np.cumsum(counts[:, right], axis=1)
    if (hits == OUT).any():
        called = np.cumsum(counts * (hits != OUT), axis=1)
    precision = found / np.maximum(called[:, right], 1e-300)
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    reached = _reached(found / np.maximum(total, 1e-300))
    steps = np.diff(reached, axis=1, prepend=0)
    return np.asarray((best * steps).sum(axis=1) / len(RECALLS))


def _reached(recall: Array) -> Array:
    """How many of the 101 recalls are at most these."""
    near = np.rint(recall * (len(RECALLS) - 1)).astype(np.int64)
    return np.asarray(near + (RECALLS[near] <= recall))


def sensitivity_at(answered: Answered, rates: Sequence[float]) -> At:
    """Mean over `rates` of the largest sensitivity that is reached with at most so many false positives an image.

    Boxes of equal score are taken or left together. Source: Setio et al. (LUNA16), Medical Image Analysis 2017; the
    free-response curve: Bunch et al., SPIE 1977. LUNA16 interpolates between operating points; here only points that a
    threshold reaches count.

    Parameters
    ----------
    answered
        With one criterion.
    rates
        False positives an image.

    Returns
    -------
    callable
        Weights (r, n) to (r,), NaN where no box of the truth is drawn.
    """
    a = answered.by_score()
    right, wrong = (a.hits[0] == kind for kind in (TRUE, FALSE))
    ends = np.flatnonzero(np.append(a.scores[1:] != a.scores[:-1], True)) if len(a.scores) else np.zeros(0, int)

    def at(weights: Array) -> Array:
        images = weights.sum(axis=1)
        counts, false = _until(weights, a.image, wrong, max(rates) * images)
        shown = ends[ends < counts.shape[1]]
        found = np.cumsum(counts * right[: counts.shape[1]], axis=1)[:, shown]
        found = np.concatenate([np.zeros((len(weights), 1)), found], axis=1)
        each, false = np.arange(len(weights)), false[:, shown]
        reached = [found[each, (false <= (rate * images)[:, None]).sum(axis=1)] for rate in rates]
        return ratio(np.mean(reached, axis=0), weights @ a.true)

    return _in_blocks(at, len(a.scores))


def _until(weights: Array, image: Array, wrong: Array, limit: Array) -> tuple[Array, Array]:
    """How often each box counts and the false ones so far, for as many boxes as it takes to exceed `limit` (r,)."""
    width = min(FIRST, len(image))
    while True:
        counts = weights[:, image[:width]]
        false = np.cumsum(counts * wrong[:width], axis=1)
        if width == len(image) or (false[:, -1] > limit).all():
            return counts, false
        width = min(2 * width, len(image))


def _in_blocks(at: At, width: int) -> At:
    """The same function, asked for so few rows at once that nothing large is held."""
    rows = max(1, BLOCK // max(width, 1))

    def blocked(weights: Array) -> Array:
        parts = [at(weights[i : i + rows]) for i in range(0, len(weights), rows)]
        return np.concatenate(parts) if parts else np.zeros(0)

    return blocked
