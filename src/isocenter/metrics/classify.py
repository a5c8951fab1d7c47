"""Metrics of a classification, from truth, probability and decision of every case.

Exclusive classes are scored one against the rest. With two of them ``all`` is the positive one; with more, or where
several may hold at once, ``all`` is the unweighted mean over classes, but for accuracy, balanced accuracy, Brier score
and log loss of exclusive classes, which are one number for all.

==========================  ==========================================================================================
what                        value
==========================  ==========================================================================================
`NotEvaluated`              wrong for every class: decision reversed; rank below all others for a positive and above
                            all others for a negative; probability of the true class 0, the rest spread over the others
class absent from truth     its auc, average_precision, sensitivity undefined; f1 0 if decided for, else undefined
class in every truth        its auc and specificity undefined
nobody named the positive   of two classes: one-sided metrics undefined under ``all`` (flag ``no_positive``)
probability 0 of the truth  log_loss counts it as 2.2e-16 (36.04)
==========================  ==========================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from isocenter.data import NotEvaluated, Probabilities, positive_of
from isocenter.errors import LabelError, NotFoundError, nearest
from isocenter.metrics.by_case import ALL
from isocenter.metrics.calibration import calibration_error
from isocenter.metrics.metric import Estimate, Metric, Record, mean_estimate, mean_of_targets, ratio
from isocenter.metrics.ranking import auc_interval, weighted_auc, weighted_average_precision
from isocenter.metrics.resample import mean_of_shares, wilson
from isocenter.ops.array import Array

TINY = float(np.finfo(float).eps)


def spelt(prediction: Probabilities | NotEvaluated, truth: Probabilities) -> dict[str, float] | None:
    """The prediction's probability per class of the truth; 0 for a class that it does not know; None: no answer.

    Raises
    ------
    LabelError
        No class in common.
    """
    if isinstance(prediction, NotEvaluated):
        return None
    theirs = dict(zip(prediction.classes, map(float, prediction.values), strict=True))
    if not set(theirs) & set(truth.classes):
        raise LabelError("answer and truth have no class in common", got=", ".join(theirs),
                         wanted=", ".join(truth.classes), remedy="Name the classes alike")
    return {c: theirs.get(c, 0.0) for c in truth.classes}


def probability_record(prediction: Probabilities | NotEvaluated, truth: Probabilities) -> dict[str, Any]:
    """``truth`` and ``p`` by class; ``p`` None for no answer."""
    return {**_truth(truth), "p": spelt(prediction, truth)}


def decision_record(prediction: Probabilities | NotEvaluated, truth: Probabilities) -> dict[str, Any]:
    """``truth`` and ``decision`` by class (0 or 1); ``decision`` None for no answer."""
    known = spelt(prediction, truth)
    decided = None if isinstance(prediction, NotEvaluated) else {c: int(c in prediction.decision) for c in known or ()}
    return {**_truth(truth), "decision": decided}


def _truth(truth: Probabilities) -> dict[str, Any]:
    several = {"multilabel": True} if truth.multilabel else {}
    return {"truth": {c: int(v >= 0.5) for c, v in zip(truth.classes, truth.values, strict=True)}, **several}


@dataclass(frozen=True)
class Answers:
    """The records of a set as arrays.

    Parameters
    ----------
    truth
        (n, k) bool.
    p
        (n, k) probabilities, NaN in rows without an answer.
    decision
        (n, k) bool; rows without an answer are False.
    answered
        (n,) bool.
    """

    classes: tuple[str, ...]
    truth: Array
    p: Array
    decision: Array
    answered: Array
    multilabel: bool

    def one(self, name: str) -> int:
        """Index of a class; NotFoundError names the classes there are."""
        if name not in self.classes:
            raise NotFoundError(f"no class {name!r}", remedy=nearest(name, self.classes))
        return self.classes.index(name)

    def rank(self, k: int) -> Array:
        """(n,) numbers to rank by: probabilities, and the worst place where there is no answer."""
        return np.where(self.answered, self.p[:, k], np.where(self.truth[:, k], -1.0, 2.0))

    def wrong_decision(self, k: int) -> Array:
        """(n,) bool decision for a class, reversed truth where there is no answer."""
        return np.where(self.answered, self.decision[:, k], ~self.truth[:, k])

    def certain(self) -> Array:
        """(n, k) probabilities; without an answer the true class has none and the others share 1."""
        others = 1 if self.multilabel else max(len(self.classes) - 1, 1)
        return np.where(self.answered[:, None], self.p, ~self.truth / others)


def answers(records: Sequence[Record]) -> Answers:
    """The records of a set as arrays; classes in the order of their first appearance."""
    classes = tuple(dict.fromkeys(c for r in records for c in r["truth"]))

    def column(key: str, missing: float) -> Array:
        rows = [r.get(key) or {} for r in records]
        return np.array([[row.get(c, missing) for c in classes] for row in rows], float).reshape(len(records), -1)

    held = np.array([r.get("p", r.get("decision")) is not None for r in records], bool)
    several = any(r.get("multilabel") for r in records)
    return Answers(classes, column("truth", 0) > 0, column("p", np.nan), column("decision", 0) > 0, held, several)


def share(hit: Array, among: Array) -> Estimate:
    """The share of `hit` among some cases (both (n,) bool), with Wilson's interval where cases are independent."""
    top, bottom = (hit & among).astype(float), among.astype(float)
    n, hits = float(bottom.sum()), float(top.sum())
    exact = (lambda level: wilson(hits, n, level)) if n else None
    return Estimate(lambda w: ratio(w @ top, w @ bottom), among, exact=exact)


Summary: TypeAlias = Callable[[Sequence[Record], str | None], Mapping[str, Estimate]]
ForClass: TypeAlias = Callable[[Answers, int], Estimate]


def by_class(found: ForClass, *, one_sided: bool = False) -> Summary:
    """A summary from what is estimated for one class against the rest."""

    def summary(records: Sequence[Record], positive: str | None = None) -> dict[str, Estimate]:
        a = answers(records)
        return with_all(a, {c: found(a, k) for k, c in enumerate(a.classes)}, positive, one_sided)

    return summary


def with_all(a: Answers, found: dict[str, Estimate], positive: str | None, one_sided: bool) -> dict[str, Estimate]:
    """The targets with ``all`` added; NotFoundError for a positive class that does not exist."""
    if positive is not None:
        a.one(positive)
    if len(a.classes) == 2 and not a.multilabel:
        lead = positive or positive_of(a.classes)
        refused = lead is None and one_sided
        nothing = Estimate(lambda w: np.full(len(w), np.nan), np.zeros(len(a.truth), bool), flags=("no_positive",))
        return {**found, ALL: nothing if refused else found[lead or a.classes[0]]}
    return {**found, ALL: mean_of_targets(found, a.classes)} if found else found


def pooled(each: Callable[[Answers], Estimate], label: ForClass) -> Summary:
    """A summary that is one number for exclusive classes, and the mean over classes where several may hold."""

    def summary(records: Sequence[Record], positive: str | None = None) -> dict[str, Estimate]:
        a = answers(records)
        if a.multilabel:
            return with_all(a, {c: label(a, k) for k, c in enumerate(a.classes)}, positive, one_sided=False)
        return {ALL: each(a)}

    return summary


def _rarer(truth: Array) -> int:
    return int(min(truth.sum(), (~truth).sum()))


def _auc(a: Answers, k: int) -> Estimate:
    y, rank = a.truth[:, k], a.rank(k)
    exact = (lambda level: auc_interval(rank, y, level)) if _rarer(y) else None
    return Estimate(weighted_auc(rank, y), _everything(a), exact=exact, logit=True, rarer=_rarer(y))


def _average_precision(a: Answers, k: int) -> Estimate:
    y = a.truth[:, k]
    return Estimate(weighted_average_precision(a.rank(k), y), _everything(a), logit=True, rarer=_rarer(y))


def _f1(a: Answers, k: int) -> Estimate:
    y, d = a.truth[:, k], a.wrong_decision(k)
    both, either = (y & d).astype(float), y.astype(float) + d
    return Estimate(lambda w: ratio(2 * (w @ both), w @ either), np.ones(len(y), bool), rarer=_rarer(y))


def right(a: Answers) -> Array:
    """(n,) whether the decision is exactly the truth."""
    return np.asarray(a.answered & (a.decision == a.truth).all(axis=1))


def _mean_recall(pairs: Sequence[tuple[Array, Array]], n: int) -> Estimate:
    """The mean of several shares (hit, among), leaving out those among none."""
    kept = [(h & g, g) for h, g in pairs if g.any()]
    counts = [(float(h.sum()), float(g.sum())) for h, g in kept]

    def at(weights: Array) -> Array:
        shares = np.array([ratio(weights @ h.astype(float), weights @ g.astype(float)) for h, g in kept])
        known = ~np.isnan(shares)
        return ratio(np.where(known, shares, 0.0).sum(axis=0), known.sum(axis=0))

    exact = (lambda level: mean_of_shares(counts, level)) if kept else None
    rarer = int(min((g for _, g in counts), default=0))
    return Estimate(at if kept else lambda w: np.full(len(w), np.nan), np.ones(n, bool), exact=exact, rarer=rarer)


def _balanced(a: Answers) -> Estimate:
    hit = right(a)
    return _mean_recall([(hit, a.truth[:, k]) for k in range(len(a.classes))], len(hit))


def _balanced_label(a: Answers, k: int) -> Estimate:
    y, d = a.truth[:, k], a.wrong_decision(k)
    return _mean_recall([(d, y), (~d, ~y)], len(y))


def _everything(a: Answers) -> Array:
    return np.ones(len(a.truth), bool)


def _brier(a: Answers) -> Estimate:
    return mean_estimate(((a.certain() - a.truth) ** 2).sum(axis=1) / 2)


def _log_loss(a: Answers) -> Estimate:
    p = np.where(a.truth, a.certain(), 0.0).sum(axis=1)
    return mean_estimate(-np.log(np.clip(p, TINY, 1.0)))


def _log_loss_label(a: Answers, k: int) -> Estimate:
    p = np.where(a.truth[:, k], a.certain()[:, k], 1 - a.certain()[:, k])
    return mean_estimate(-np.log(np.clip(p, TINY, 1.0)))


def _ece(a: Answers, k: int) -> Estimate:
    c = calibration_error(a.certain()[:, k], a.truth[:, k])
    return Estimate(c.at, _everything(a), centred=True, by_chance=c.by_chance)


SHARE: tuple[float, float] = (0.0, 1.0)


def _metric(key: str, better: str, text: str, source: str, summary: Summary, *, decided: bool = False,
            span: tuple[float, float | None] = SHARE) -> Metric:
    return Metric(key, "", better, span, text, source, decision_record if decided else probability_record, summary)


CLASSIFY = (
    _metric("auc", "higher", "chance that a case with the class ranks above one without it; ties one half",
            "Hanley and McNeil, Radiology 1982", by_class(_auc)),
    _metric("accuracy", "higher", "share of decisions that are right",
            "", pooled(lambda a: share(right(a), _everything(a)),
                       lambda a, k: share(a.wrong_decision(k) == a.truth[:, k], _everything(a))), decided=True),
    _metric("balanced_accuracy", "higher", "mean over classes of the share found",
            "Brodersen et al., ICPR 2010", pooled(_balanced, _balanced_label), decided=True),
    _metric("sensitivity", "higher", "share of cases with the class that were decided for it",
            "ISO 20776-2; STARD 2015", by_class(lambda a, k: share(a.wrong_decision(k), a.truth[:, k]), one_sided=True),
            decided=True),
    _metric("specificity", "higher", "share of cases without the class that were not decided for it",
            "STARD 2015", by_class(lambda a, k: share(~a.wrong_decision(k), ~a.truth[:, k]), one_sided=True),
            decided=True),
    _metric("f1", "higher", "2 TP / (2 TP + FP + FN) over cases", "van Rijsbergen, Information Retrieval 1979",
            by_class(_f1, one_sided=True), decided=True),
    _metric("average_precision", "higher", "precision averaged over the steps of recall",
            "Davis and Goadrich, ICML 2006", by_class(_average_precision, one_sided=True)),
    _metric("brier", "lower", "half the squared distance of the probabilities from the truth",
            "Brier, Monthly Weather Review 1950",
            pooled(_brier, lambda a, k: mean_estimate((a.certain()[:, k] - a.truth[:, k]) ** 2))),
    _metric("log_loss", "lower", "mean of -ln(probability of the truth), which counts as 2.2e-16 at least",
            "Good, JRSS B 1952", pooled(_log_loss, _log_loss_label), span=(0.0, -float(np.log(TINY)))),
    _metric("ece", "lower", "distance of probability from frequency over bins of equal numbers, less what chance adds",
            "Naeini et al., AAAI 2015; Kumar et al., NeurIPS 2019", by_class(_ece)),
)
