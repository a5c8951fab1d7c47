"""Which answer stands for which truth: greedily by score, or by the best assignment."""

from __future__ import annotations

import numpy as np

from isocenter.ops.array import Array

# What an answer is at a threshold.
FALSE, TRUE, OUT = 0, 1, 2


def greedy(ious: Array, thresholds: Array, *, aside: Array | None = None) -> Array:
    """What each answer is, when answers choose their truth one after the other, the surest first.

    An answer takes the free truth of the largest IoU (the later on a tie, as COCO's tool does). One that finds no truth
    but lies on an ignored one is out of the count.

    Source: Lin et al., Microsoft COCO, ECCV 2014, and the rules of its evaluation.

    Parameters
    ----------
    ious
        (n, m): answers by falling score, truths that count.
    thresholds
        (t,) least IoU.
    aside
        (n,) the largest share of each answer that lies in one ignored truth; None: nothing is ignored.

    Returns
    -------
    int8 (t, n): `FALSE`, `TRUE` or `OUT`.
    """
    n, m = ious.shape
    # A threshold of 1 is met up to rounding.
    least = np.minimum(np.asarray(thresholds, np.float64), 1 - 1e-10)
    out = np.full((len(least), n), FALSE, np.int8)
    if aside is not None:
        out[aside[None, :] >= least[:, None]] = OUT
    free = np.ones((len(least), m), bool)
    each = np.arange(len(least))
    for i in np.flatnonzero(ious.max(axis=1, initial=0.0) >= least.min(initial=np.inf)):
        values = np.where(free, ious[i], -1.0)
        best = m - 1 - np.argmax(values[:, ::-1], axis=1)
        hit = values[each, best] >= least
        free[each[hit], best[hit]] = False
        out[hit, i] = TRUE
    return out


def partners(ious: Array, least: float) -> Array:
    """Which truth each answer takes when answers choose as in `greedy`: int64 (n,), -1 for none.

    Parameters
    ----------
    ious
        (n, m): answers by falling score, truths.
    least
        Least IoU.
    """
    n, m = ious.shape
    out = np.full(n, -1, np.int64)
    free = np.ones(m, bool)
    for i in np.flatnonzero(ious.max(axis=1, initial=0.0) >= least):
        values = np.where(free, ious[i], -1.0)
        best = m - 1 - int(np.argmax(values[::-1]))
        if values[best] >= least:
            free[best] = False
            out[i] = best
    return out


def assigned(rows: Array, columns: Array, worth: Array) -> Array:
    """The pairs of the best assignment: as many as possible, and of those the largest sum of worth.

    Source: Kuhn, Naval Research Logistics Quarterly 1955; with IoU as worth, the matching of Schmidt et al. (StarDist),
    MICCAI 2018.

    Parameters
    ----------
    rows, columns
        (k,) int: the pairs that are allowed, each once.
    worth
        (k,) in [0, 1].

    Returns
    -------
    int64 (j,): positions of the chosen pairs, increasing; no row and no column is in two.
    """
    alone = (np.bincount(rows, minlength=1)[rows] == 1) & (np.bincount(columns, minlength=1)[columns] == 1)
    chosen = np.flatnonzero(alone)
    rest = np.flatnonzero(~alone)
    if not len(rest):
        return chosen
    from scipy.optimize import linear_sum_assignment

    at_row, row = np.unique(rows[rest], return_inverse=True)
    at_column, column = np.unique(columns[rest], return_inverse=True)
    gain = np.zeros((len(at_row), len(at_column)))
    place = np.full(gain.shape, -1)
    # All worth together weighs less than one pair more.
    gain[row, column] = 1 + worth[rest] / (2 * min(gain.shape))
    place[row, column] = rest
    found = place[linear_sum_assignment(gain, maximize=True)]
    return np.asarray(np.sort(np.concatenate([chosen, found[found >= 0]])))
