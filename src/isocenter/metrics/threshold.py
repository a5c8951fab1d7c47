"""What is chosen on val: the threshold of a decision and the temperature of the probabilities."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.special import logit

from isocenter.errors import InputError
from isocenter.ops.array import Array

COLDEST, HOTTEST = 0.25, 10.0
GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


def best_threshold(probabilities: Array, truth: Array) -> float:
    """The threshold of best balanced accuracy: a case is positive where its probability is >= the threshold.

    Candidates lie half way between neighbouring probabilities (and 0 and 1), so that they split unseen cases as fairly
    as seen ones. Of several best candidates the middle one is taken; of two middle ones the one nearer to 0.5.

    Parameters
    ----------
    probabilities
        (n,) of the positive class, in [0, 1]; cases of val, never of test.
    truth
        (n,) whether the case is positive.

    Returns
    -------
    float
        In [0, 1]; 0.5 where `truth` holds one kind only, because then there is nothing to choose by.

    Raises
    ------
    InputError
        Lengths differ, or a probability is not a number in [0, 1].

    >>> best_threshold(np.array([0.1, 0.2, 0.6, 0.9]), np.array([0, 0, 1, 1]))
    0.4
    """
    p, y = np.asarray(probabilities, float), np.asarray(truth).astype(bool)
    if p.ndim != 1 or p.shape != y.shape or not np.all((p >= 0) & (p <= 1)):
        raise InputError("a threshold needs one probability in [0, 1] per case", got=f"{p.shape} and {y.shape}")
    if not y.any() or y.all():
        return 0.5
    values, index = np.unique(p, return_inverse=True)
    hits = np.bincount(index[y], minlength=len(values))
    alarms = np.bincount(index[~y], minlength=len(values))
    # Whole numbers keep ties exact: (sensitivity + specificity) times positives times negatives.
    caught = np.append(hits[::-1].cumsum()[::-1], 0)
    spared = np.concatenate([[0], alarms.cumsum()])
    merit = caught * int((~y).sum()) + spared * int(y.sum())
    edges = np.concatenate([[0.0], values, [1.0]])
    middle = (edges[:-1] + edges[1:]) / 2
    # Halves of neighbouring floats may round down onto the lower one, which would then be called positive.
    middle = np.where((middle <= edges[:-1]) & (edges[1:] > edges[:-1]), edges[1:], middle)
    best = middle[merit == merit.max()]
    pair = best[(len(best) - 1) // 2 : len(best) // 2 + 1]
    return float(pair[np.argmin(np.abs(pair - 0.5))])


def steady_threshold(probabilities: Array, truth: Array) -> float:
    """A threshold that val cannot tell from the one of best balanced accuracy, and that new cases are kinder to.

    The one of best balanced accuracy follows single cases: one positive that looks like nothing draws it down, and
    every negative of a slightly different kind is then called positive. From a calibrated probability the best
    expected balanced accuracy is had at the share of positives. Of all thresholds whose balanced accuracy lies within
    one standard error of the best, the nearest to that share is taken, in log odds.

    Sources: Breiman et al., Classification and Regression Trees, 1984, section 3.4.3 (one standard error); Elkan, IJCAI
    2001 (the threshold of a cost); Agresti and Caffo, The American Statistician 2000 (the error of two shares).

    Parameters
    ----------
    probabilities, truth
        As of `best_threshold`; calibrated.

    Returns
    -------
    float
        In [0, 1]; 0.5 where `truth` holds one kind only.

    Raises
    ------
    InputError
        As `best_threshold`.

    >>> steady_threshold(np.array([0.1, 0.2, 0.6, 0.9]), np.array([0, 0, 1, 1]))
    0.5
    """
    best = best_threshold(probabilities, truth)
    p, y = np.asarray(probabilities, float), np.asarray(truth).astype(bool)
    if not y.any() or y.all():
        return best
    share = float(y.mean())
    values = np.unique(p)
    tried = np.concatenate([[share, best], (values[:-1] + values[1:]) / 2])
    kinds = np.sort(p[y]), np.sort(p[~y])
    right = [len(kinds[0]) - np.searchsorted(kinds[0], tried), np.searchsorted(kinds[1], tried)]
    counts = [len(k) for k in kinds]
    merit = (right[0] / counts[0] + right[1] / counts[1]) / 2
    error = math.sqrt(sum(_variance(int(r[1]), n) for r, n in zip(right, counts, strict=True))) / 2
    # A bound of 0 or 1 has no log odds; no threshold there is nearer than any other.
    odds = logit(np.clip(tried, 1e-9, 1 - 1e-9))
    far = np.where(merit >= merit[1] - error, np.abs(odds - logit(share)), np.inf)
    return float(tried[np.argmin(far)])


def _variance(right: int, n: int) -> float:
    """Of a share, with one more success and one more failure, so that a faultless share has one too."""
    p = (right + 1) / (n + 2)
    return p * (1 - p) / (n + 2)


def fit_temperature(logits: Array, labels: Array) -> float:
    """The temperature T for which logits / T have the least mean negative log-likelihood.

    One number cannot change which class is the most probable. The search is a golden section over log T; the loss has
    one minimum there, because it is convex in 1 / T. T stays in [0.25, 10]: a val set without an error would otherwise
    drive it to 0 and every probability to 1. Where no T beats 1 on these cases, 1 is returned.

    Source: Guo et al., On calibration of modern neural networks, ICML 2017.

    Parameters
    ----------
    logits
        (n, k) before softmax; with `labels` of shape (n, k), before sigmoid.
    labels
        (n,) class index, or (n, k) zeros and ones where several classes may hold at once.

    Returns
    -------
    float
        T; 1.0 for no case.

    Raises
    ------
    InputError
        Shapes do not fit, or a logit is not finite.
    """
    z, y = np.asarray(logits, float), np.asarray(labels)
    several = y.ndim == 2
    if z.ndim != 2 or y.shape != (z.shape if several else z.shape[:1]) or not np.isfinite(z).all():
        raise InputError("a temperature needs finite logits (n, classes) and their labels", got=f"{z.shape}, {y.shape}")
    if len(z) == 0:
        return 1.0

    def loss(log_t: float) -> float:
        scaled = z / math.exp(log_t)
        if several:
            return float(np.mean(np.logaddexp(0.0, scaled) - y * scaled))
        top = scaled.max(axis=1, keepdims=True)
        total = top[:, 0] + np.log(np.exp(scaled - top).sum(axis=1))
        return float(np.mean(total - scaled[np.arange(len(z)), y.astype(int)]))

    found = _golden(loss, math.log(COLDEST), math.log(HOTTEST))
    return math.exp(found) if loss(found) < loss(0.0) else 1.0


def _golden(loss: Callable[[float], float], low: float, high: float, width: float = 1e-6) -> float:
    a, b = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_a, at_b = loss(a), loss(b)
    while high - low > width:
        if at_a <= at_b:
            high, b, at_b = b, a, at_a
            a = high - GOLDEN * (high - low)
            at_a = loss(a)
        else:
            low, a, at_a = a, b, at_b
            b = low + GOLDEN * (high - low)
            at_b = loss(b)
    # A minimum at a bound is the bound itself.
    return min((low, (low + high) / 2, high), key=loss)
