"""How well numbers rank cases: weighted AUC and average precision, and DeLong's variance."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.special import expit, logit, ndtri

from isocenter.metrics.metric import ratio
from isocenter.ops.array import Array


def weighted_auc(scores: Array, truth: Array) -> Callable[[Array], Array]:
    """Area under the ROC curve as a function of weights; cases are sorted once.

    Parameters
    ----------
    scores
        (n,) higher for positives; ties count one half.
    truth
        (n,) bool.

    Returns
    -------
    callable
        Weights (r, n) to (r,), NaN where one kind is absent. Source: Hanley and McNeil, Radiology 1982.
    """
    order, starts = _runs(scores)
    sign = np.asarray(truth, bool)[order]

    def at(weights: Array) -> Array:
        sorted_weights = weights[:, order]
        positive = _summed(sorted_weights * sign, starts)
        negative = _summed(sorted_weights * ~sign, starts)
        below = np.cumsum(negative, axis=1) - negative / 2
        pairs = positive.sum(axis=1) * negative.sum(axis=1)
        return ratio((positive * below).sum(axis=1), pairs)

    return at


def weighted_average_precision(scores: Array, truth: Array) -> Callable[[Array], Array]:
    """Average precision (step-wise area under precision-recall) as a function of weights.

    Arguments and result as in `weighted_auc`; NaN where no positive is drawn. Equal scores are taken together.
    """
    order, starts = _runs(-np.asarray(scores, float))
    sign = np.asarray(truth, bool)[order]

    def at(weights: Array) -> Array:
        sorted_weights = weights[:, order]
        positive = _summed(sorted_weights * sign, starts)
        called = np.cumsum(_summed(sorted_weights, starts), axis=1)
        precision = np.divide(np.cumsum(positive, axis=1), called, out=np.zeros_like(called), where=called > 0)
        return ratio((positive * precision).sum(axis=1), positive.sum(axis=1))

    return at


def delong(scores: Array, truth: Array, groups: Array | None = None) -> tuple[Array, Array]:
    """AUCs of several methods on the same cases, and their covariance.

    Cases of one group (a patient's images) may go together: each group then counts with the sum of what its cases
    contribute, as in the variance of clustered data.

    Source: DeLong, DeLong, Clarke-Pearson, Biometrics 1988, by the midranks of Sun and Xu, IEEE SPL 2014; Obuchowski,
    Biometrics 1997, for groups.

    Parameters
    ----------
    scores
        (m, n): m methods, n cases.
    truth
        (n,) bool, at least two of each kind.
    groups
        (n,) of which group each case is, at least two; None: independent cases.

    Returns
    -------
    tuple
        AUCs (m,) and covariance (m, m).
    """
    s, y = np.atleast_2d(np.asarray(scores, float)), np.asarray(truth, bool)
    positives, negatives = int(y.sum()), int((~y).sum())
    every = np.array([midranks(row) for row in s])
    among_positives = np.array([midranks(row[y]) for row in s])
    among_negatives = np.array([midranks(row[~y]) for row in s])
    of_positives = (every[:, y] - among_positives) / negatives
    of_negatives = 1 - (every[:, ~y] - among_negatives) / positives
    aucs = of_positives.mean(axis=1)
    if groups is None:
        covariance = np.cov(of_positives) / positives + np.cov(of_negatives) / negatives
        return aucs, covariance.reshape(len(s), len(s))
    _, index = np.unique(groups, return_inverse=True)
    above = _by_group(of_positives - aucs[:, None], index[y], index) / positives
    below = _by_group(of_negatives - aucs[:, None], index[~y], index) / negatives
    # Each sum with its own correction for the groups that it has; their products run over all groups.
    crossed = above @ below.T
    factors = [_bessel(index[y]), _bessel(index[~y]), _bessel(index)]
    covariance = factors[0] * above @ above.T + factors[1] * below @ below.T + factors[2] * (crossed + crossed.T)
    return aucs, np.asarray(covariance)


def _by_group(rows: Array, index: Array, every: Array) -> Array:
    return np.array([np.bincount(index, weights=row, minlength=int(every.max()) + 1) for row in rows])


def _bessel(index: Array) -> float:
    count = len(np.unique(index))
    return count / max(1, count - 1)


def auc_interval(scores: Array, truth: Array, level: float) -> tuple[float, float]:
    """Interval of one AUC over independent cases.

    DeLong's standard error on the logit scale. Where fewer than two cases of the rarer kind are misplaced, that error
    is a guess from one or no mishap; there the wider of this and Newcombe's interval is taken, which needs none.

    Source: Qin and Hotilovac, Statistical Methods in Medical Research 2008; Newcombe, Statistics in Medicine 2006
    (part 2, method 5).

    Parameters
    ----------
    scores, truth
        (n,) as in `weighted_auc`, at least one of each kind.
    level
        Such as 0.95.
    """
    y = np.asarray(truth, bool)
    positives, negatives = int(y.sum()), int((~y).sum())
    value = float(weighted_auc(scores, y)(np.ones((1, len(y))))[0])
    z = -float(ndtri((1 - level) / 2))
    low, high = value, value
    if 0 < value < 1 and min(positives, negatives) > 1:
        error = float(np.sqrt(delong(scores, y)[1][0, 0]))
        low, high = logit_interval(value, error, z)
    if low == high or min(value, 1 - value) * min(positives, negatives) < 2:
        other = _newcombe(value, positives, negatives, z)
        low, high = min(low, other[0]), max(high, other[1])
    return low, high


def logit_interval(value: float, error: float, z: float) -> tuple[float, float]:
    """value -+ z errors on the logit scale; `value` strictly between 0 and 1."""
    half = z * error / (value * (1 - value))
    return float(expit(logit(value) - half)), float(expit(logit(value) + half))


def auc_variance(value: float, positives: float, negatives: float) -> float:
    """Variance of an AUC expected from its value and the numbers of cases alone.

    Source: Hanley and McNeil, Radiology 1982, in the symmetric form of Newcombe, Statistics in Medicine 2006 (part 2).

    Parameters
    ----------
    value
        AUC in [0, 1].
    positives, negatives
        Cases with and without the class, at least 1 each.
    """
    average = (positives + negatives) / 2 - 1
    spread = 1 + average * (1 - value) / (2 - value) + average * value / (1 + value)
    return value * (1 - value) * spread / (positives * negatives)


def _newcombe(value: float, m: int, n: int, z: float) -> tuple[float, float]:
    """All AUCs from which the value is at most z standard errors away."""

    def near(t: float) -> bool:
        return abs(value - t) <= z * math.sqrt(auc_variance(t, m, n))

    def edge(inside: float, outside: float) -> float:
        for _ in range(60):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if near(middle) else (inside, middle)
        return inside

    return edge(value, 0.0), edge(value, 1.0)


def midranks(values: Array) -> Array:
    """Ranks from 1; equal values share the mean of theirs.

    >>> midranks(np.array([3.0, 1.0, 3.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    _, index, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[index])


def _runs(values: Array) -> tuple[Array, Array]:
    """Increasing order, and where each run of equal values starts in it."""
    order = np.argsort(values, kind="stable")
    ordered = np.asarray(values)[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])) if len(ordered) else np.zeros(0, int)
    return order, starts


def _summed(weights: Array, starts: Array) -> Array:
    return weights if len(starts) == weights.shape[1] else np.add.reduceat(weights, starts, axis=1)
