"""One label map from several, and how good each of them is, without truth.

STAPLE: expectation maximisation over a hidden truth and one confusion matrix a rater (Warfield, Zou and Wells, IEEE
Trans. Med. Imaging 23 (2004) 903), for any number of labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isocenter.errors import InputError
from isocenter.ops.array import Array

# What says nothing about a pixel; how good every rater is thought at first.
SILENT, TRUSTED = 255, 0.99
# A rater is never held for certain, so that one voice cannot forbid what all others say.
LEAST = 1e-7


@dataclass(frozen=True, eq=False)
class Staple:
    """What the raters agree on.

    Parameters
    ----------
    scores
        float32 (classes, *grid): probability of each class at each pixel; sums to 1 over the first axis.
    performance
        float64 (raters, classes, classes): [i, s, t] is the probability that rater i says s where t is true. Of two
        classes [i, 1, 1] is the sensitivity and [i, 0, 0] the specificity.
    steps
        Iterations until nothing changed.
    """

    scores: Array
    performance: Array
    steps: int


def staple(labels: Sequence[Array], classes: int, *, most: int = 100, tolerance: float = 1e-6) -> Staple:
    """STAPLE of label maps on one grid.

    Pixels on which the raters say the same are one pattern with a count, so a step takes as long as there are patterns.

    Parameters
    ----------
    labels
        One whole-number array (*grid) a rater, values below `classes`; 255 where the rater says nothing.
    classes
        Number of classes, background included.
    most
        Iterations at most.
    tolerance
        Largest change of any performance at which it ends.

    Raises
    ------
    InputError
        No maps, maps on different grids, or a value beyond the classes.
    """
    grid = _checked(labels, classes)
    index, patterns, counts = _patterns(labels, classes)
    said = [[np.flatnonzero(column == s) for s in range(classes)] for column in patterns.T]
    shares = np.array([[counts[rows].sum() for rows in rater] for rater in said], float)
    prior = shares.sum(0) / max(1.0, shares.sum())
    log_prior = np.log(np.maximum(prior, 1e-300))
    performance = np.full((len(labels), classes, classes), (1 - TRUSTED) / max(1, classes - 1))
    performance[:, np.arange(classes), np.arange(classes)] = TRUSTED if classes > 1 else 1.0
    steps, change = 0, np.inf
    while steps < most and change >= tolerance:
        steps += 1
        belief = _expected(patterns, performance, log_prior)
        before, performance = performance, _maximised(belief * counts[:, None], said, performance)
        change = float(np.abs(performance - before).max())
    belief = _expected(patterns, performance, log_prior)
    scores = np.ascontiguousarray(belief.astype(np.float32).T)[:, index].reshape(classes, *grid)
    return Staple(scores, performance, steps)


def _checked(labels: Sequence[Array], classes: int) -> tuple[int, ...]:
    if not labels:
        raise InputError("nobody says anything", got="0 label maps", wanted="1 or more")
    grid: tuple[int, ...] = labels[0].shape
    for i, one in enumerate(labels):
        if one.shape != grid:
            raise InputError("the label maps lie on different grids", where=f"map {i}", got=str(one.shape),
                             wanted=str(grid))  # fmt: skip
        top = int(np.where(one == SILENT, 0, one).max(initial=0))
        if top >= classes:
            raise InputError(
                "a label is beyond the classes", where=f"map {i}", got=str(top), wanted=f"0 to {classes - 1}"
            )
    return grid


def _patterns(labels: Sequence[Array], classes: int) -> tuple[Array, Array, Array]:
    """Pattern of each pixel (n,), patterns (p, raters) with `classes` for silence, and their counts (p,)."""
    code = np.zeros(labels[0].size, np.int64)
    rows = np.zeros((1, 0), np.int64)
    for one in labels:
        value = np.where(one.ravel() == SILENT, classes, one.ravel()).astype(np.int64)
        # There are few patterns at any time, so that their numbers never overflow.
        found, code = np.unique(code * (classes + 1) + value, return_inverse=True)
        rows = np.concatenate([rows[found // (classes + 1)], (found % (classes + 1))[:, None]], axis=1)
    return code, rows, np.bincount(code, minlength=len(rows)).astype(float)


def _expected(patterns: Array, performance: Array, log_prior: Array) -> Array:
    """Probability of each class given each pattern, (p, classes)."""
    log = np.log(np.maximum(performance, LEAST))
    silent = np.zeros((1, log.shape[2]))
    total = np.broadcast_to(log_prior, (len(patterns), len(log_prior))).copy()
    for rater, column in zip(log, patterns.T, strict=True):
        total += np.concatenate([rater, silent])[column]
    total -= total.max(axis=1, keepdims=True)
    out = np.exp(total)
    return np.asarray(out / out.sum(axis=1, keepdims=True))


def _maximised(weight: Array, said: list[list[Array]], before: Array) -> Array:
    """Each rater's confusion matrix given the beliefs, (raters, classes, classes)."""
    out = before.copy()
    for i, rater in enumerate(said):
        matrix = np.stack([weight[rows].sum(axis=0) for rows in rater])
        total = matrix.sum(axis=0)
        # What no pixel is believed to be teaches nothing about the rater.
        known = total > 0
        out[i][:, known] = matrix[:, known] / total[known]
    return out
