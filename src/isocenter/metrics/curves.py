"""Curves of a classification on one split: ROC with band, precision and recall, reliability, confusion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Unpack

import numpy as np

from isocenter.data import Scores, positive_of
from isocenter.errors import InputError
from isocenter.metrics.by_case import ALL
from isocenter.metrics.calibration import calibration_error, equal_bins, plain_error
from isocenter.metrics.classify import Answers, answers
from isocenter.metrics.metric import ratio
from isocenter.metrics.resample import groups_of, percentile_interval, weights, wilson
from isocenter.metrics.summary import Sampling, n_single, settled
from isocenter.ops.array import Array

# Beyond every probability: nothing is decided for.
ABOVE = float(np.nextafter(1.0, 2.0))
MOST_POINTS = 200


@dataclass(frozen=True, eq=False)
class Roc:
    """Sensitivity against false positive rate over all thresholds.

    Parameters
    ----------
    target
        The class.
    rate, sensitivity, threshold
        (k,) each, from the strictest threshold to the laxest; a case is positive from the threshold on.
    low, high
        (k,) pointwise band of sensitivity at that rate; None with fewer than 2 groups.
    """

    target: str
    rate: Array
    sensitivity: Array
    threshold: Array
    low: Array | None = None
    high: Array | None = None

    @property
    def array(self) -> Array:
        """(3 or 5, k): rate, sensitivity, threshold and, where known, low and high."""
        band = [] if self.low is None or self.high is None else [self.low, self.high]
        return np.array([self.rate, self.sensitivity, self.threshold, *band])


def roc(scores: Scores, target: str = ALL, **sampling: Unpack[Sampling]) -> Roc | None:
    """The ROC curve of one class, with a pointwise band resampled by group.

    Unanswered cases rank worst. Corners only: points on a straight line between others are left out.

    Parameters
    ----------
    scores
        Of classify.
    target
        A class; ``all`` with two classes: the positive one.
    **sampling
        ``level``, ``resamples``, ``seed`` of the band.

    Returns
    -------
    Roc or None
        None where the split lacks cases with or without the class.

    Raises
    ------
    InputError
        The scores hold no probabilities, or ``all`` names no single class.
    """
    a, k = _class(scores, target, "auc")
    y, rank = a.truth[:, k], a.rank(k)
    if y.all() or not y.any():
        return None
    steps = _Steps(rank, y)
    (rate,), (sensitivity,) = steps.at(np.ones((1, len(y))))
    kept = _corners(rate, sensitivity)
    rate, sensitivity, threshold = rate[kept], sensitivity[kept], steps.threshold[kept]
    groups = groups_of(scores.cases)
    count, how = len(np.unique(groups)), settled(sampling)
    if count < 2:
        return Roc(a.classes[k], rate, sensitivity, threshold)
    # A band needs no more points than a picture has.
    grid = np.unique(rate) if len(rate) <= MOST_POINTS else np.linspace(0, 1, MOST_POINTS)
    runs = [_upper(grid, x, s) for block in weights(groups, how.resamples, how.seed)
            for x, s in zip(*steps.at(block), strict=True)]
    edges = np.array([percentile_interval(column, how.level, count) for column in np.array(runs).T])
    low, high = np.interp(rate, grid, edges[:, 0]), np.interp(rate, grid, edges[:, 1])
    return Roc(a.classes[k], rate, sensitivity, threshold, np.minimum(low, sensitivity), np.maximum(high, sensitivity))


def operating_point(scores: Scores, target: str = ALL) -> tuple[float, float] | None:
    """(false positive rate, sensitivity) of the decisions that the method took, at whatever threshold it chose on val.

    None where the split lacks cases with or without the class. The intervals are those of specificity and sensitivity.
    """
    a, k = _class(scores, target, "sensitivity")
    y, d = a.truth[:, k], a.wrong_decision(k)
    return None if y.all() or not y.any() else (float(d[~y].mean()), float(d[y].mean()))


def precision_recall(scores: Scores, target: str = ALL) -> Array | None:
    """(3, k): recall, precision and threshold, from the strictest threshold; None where no case has the class."""
    a, k = _class(scores, target, "auc")
    y, rank = a.truth[:, k], a.rank(k)
    if not y.any():
        return None
    order = np.argsort(-rank, kind="stable")
    last = np.append(rank[order][1:] != rank[order][:-1], True)
    found, called = np.cumsum(y[order])[last], (np.flatnonzero(last) + 1)
    return np.array([found / y.sum(), found / called, np.clip(rank[order][last], 0.0, ABOVE)])


@dataclass(frozen=True, eq=False)
class Reliability:
    """Probability against frequency.

    Parameters
    ----------
    target
        The class.
    claimed, observed, low, high, n
        (bins,) mean probability, share that came true with its interval, and cases, by increasing probability.
    error
        Expected calibration error without what chance adds (the metric ``ece``).
    plain
        The same with it, as usually printed.
    """

    target: str
    claimed: Array
    observed: Array
    low: Array
    high: Array
    n: Array
    error: float
    plain: float

    @property
    def array(self) -> Array:
        """(5, bins): claimed, observed, low, high, n."""
        return np.array([self.claimed, self.observed, self.low, self.high, self.n])


def reliability(
    scores: Scores, target: str = ALL, *, bins: int | None = None, **sampling: Unpack[Sampling]
) -> Reliability:
    """Reliability in bins of equal numbers; intervals by Wilson, or resampled where groups hold several cases.

    Arguments as in `roc`; `bins` as in `isocenter.metrics.calibration.equal_bins`.
    """
    a, k = _class(scores, target, "ece")
    p, y = a.certain()[:, k], a.truth[:, k]
    index = equal_bins(p, bins)
    member = np.eye(int(index.max()) + 1)[index]
    n, how = member.sum(axis=0), settled(sampling)
    claimed, observed = p @ member / n, y @ member / n
    groups = groups_of(scores.cases)
    if n_single(groups) or len(np.unique(groups)) < 2:
        bounds = np.array([wilson(h, m, how.level) for h, m in zip(y @ member, n, strict=True)])
    else:
        shares = np.concatenate([ratio((w * y) @ member, w @ member) for w in weights(groups, how.resamples, how.seed)])
        inside = [len(np.unique(groups[index == b])) for b in range(len(n))]
        bounds = np.array([percentile_interval(c, how.level, max(g, 2)) for c, g in zip(shares.T, inside, strict=True)])
    error = float(calibration_error(p, y, bins=bins).at(np.ones((1, len(p))))[0])
    plain = plain_error(p, y, bins=bins) or 0.0
    return Reliability(a.classes[k], claimed, observed, bounds[:, 0], bounds[:, 1], n.astype(int), error, plain)


@dataclass(frozen=True, eq=False)
class Confusion:
    """Counts of cases: truth by row, decision by column.

    Parameters
    ----------
    rows, columns
        Names; the columns end with ``not evaluated`` where a case has no answer.
    counts
        (rows, columns) whole numbers.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: Array


def confusion(scores: Scores, target: str | None = None) -> Confusion:
    """The confusion matrix of exclusive classes, or of one class against the rest.

    Parameters
    ----------
    scores
        Of classify.
    target
        None: all classes. A class: rows and columns are ``not CLASS`` and ``CLASS``.

    Raises
    ------
    InputError
        Several classes may hold at once and `target` names none of them, or a case is decided for several.
    """
    a = _answers(scores, "accuracy")
    if target is None and (a.multilabel or (a.decision.sum(axis=1)[a.answered] != 1).any()):
        raise InputError("cases with several classes have no one confusion matrix", remedy="Name one class")
    if target is None:
        names, truth, decided = a.classes, a.truth.argmax(axis=1), a.decision.argmax(axis=1)
    else:
        k = a.one(target)
        names, truth, decided = (f"not {target}", target), a.truth[:, k].astype(int), a.decision[:, k].astype(int)
    decided = np.where(a.answered, decided, len(names))
    width = len(names) + 1
    counts = np.bincount(truth * width + decided, minlength=len(names) * width).reshape(len(names), width)
    if a.answered.all():
        return Confusion(names, names, counts[:, :-1])
    return Confusion(names, (*names, "not evaluated"), counts)


def _answers(scores: Scores, key: str) -> Answers:
    records = [c.records[key] for c in scores.cases if key in c.records]
    if not records or len(records) != len(scores.cases):
        raise InputError("only a classification has curves", got=scores.task, wanted=f"records of {key}")
    return answers(records)


def _class(scores: Scores, target: str, key: str) -> tuple[Answers, int]:
    a = _answers(scores, key)
    if target == ALL:
        if len(a.classes) != 2 or a.multilabel:
            raise InputError("a curve needs one class", got=target, wanted=" or ".join(a.classes))
        target = positive_of(a.classes) or a.classes[-1]
    return a, a.one(target)


class _Steps:
    """ROC curves of resampled cases, sorted once: one point a distinct rank, from (0, 0) to (1, 1)."""

    def __init__(self, rank: Array, truth: Array) -> None:
        self.order = np.argsort(-rank, kind="stable")
        ordered = rank[self.order]
        self.truth = truth[self.order]
        self.last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
        self.threshold = np.append(ABOVE, np.clip(ordered[self.last], 0.0, ABOVE))

    def at(self, w: Array) -> tuple[Array, Array]:
        """Rates and sensitivities (r, k); rows without either kind are left out."""
        sorted_weights = w[:, self.order]
        hits, alarms = (np.cumsum(sorted_weights * kind, axis=1)[:, self.last] for kind in (self.truth, ~self.truth))
        both = (hits[:, -1] > 0) & (alarms[:, -1] > 0)
        ends = [np.pad(v[both] / v[both][:, -1:], ((0, 0), (1, 0))) for v in (alarms, hits)]
        return ends[0], ends[1]


def _corners(x: Array, y: Array) -> Array:
    """Which points do not lie on the straight line between their neighbours."""
    dx, dy = np.diff(x), np.diff(y)
    turns = np.abs(dx[:-1] * dy[1:] - dx[1:] * dy[:-1]) > 1e-15
    return np.concatenate([[True], turns, [True]])


def _upper(grid: Array, x: Array, y: Array) -> Array:
    """The curve at `grid`, its upper end where it rises straight up."""
    at = np.searchsorted(x, grid, side="right") - 1
    after = np.minimum(at + 1, len(x) - 1)
    span = x[after] - x[at]
    share = np.divide(grid - x[at], span, out=np.zeros(len(grid)), where=span > 0)
    return np.asarray(y[at] + share * (y[after] - y[at]))
