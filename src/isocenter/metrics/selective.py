"""Answering only what one is sure of: how often that is wrong, and from which confidence on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Unpack

import numpy as np
from scipy.special import betaincinv

from isocenter.data import Score, Scores
from isocenter.errors import UsageError
from isocenter.metrics.by_case import ALL
from isocenter.metrics.classify import answers, right, share
from isocenter.metrics.metric import Estimate, Metric
from isocenter.metrics.resample import groups_of
from isocenter.metrics.summary import Sampling, scored, settled
from isocenter.ops.array import Array

# Of the bound by which a limit is chosen.
SURE = 0.95


@dataclass(frozen=True, eq=False)
class RiskCoverage:
    """Share of wrong decisions among the surest cases.

    Parameters
    ----------
    coverage, risk, confidence
        (m,) from the surest cases on: share answered, share of those wrong, and the least confidence among them. Cases
        of equal confidence come in together.
    area
        Mean risk over all shares: the area under the curve, with its interval; the smaller the better.
    """

    coverage: Array
    risk: Array
    confidence: Array
    area: Score


def risk_coverage(scores: Scores, **sampling: Unpack[Sampling]) -> RiskCoverage | None:
    """The risk-coverage curve; None where no case was scored by probability, or several labels may hold.

    The confidence is the probability of the decision. A case without an answer is wrong at confidence 0.

    Source: Geifman and El-Yaniv, NeurIPS 2017; Geifman, Uziel, El-Yaniv, ICLR 2019, for the area.
    """
    found = surety(scores)
    if found is None:
        return None
    sure, wrong = found
    order = np.argsort(-sure, kind="stable")
    last = np.r_[np.diff(sure[order]) != 0, True]
    n = np.arange(1, len(order) + 1)
    risk = wrong[order].cumsum() / n
    metric = Metric("aurc", "", "lower", (0.0, 1.0), "", "", lambda *_: None, lambda *_: {})
    estimate = Estimate(lambda w: _areas(sure, wrong, w), np.ones(len(sure), bool))
    area = scored(metric, {ALL: estimate}, scores.cases, settled(sampling))[ALL]
    return RiskCoverage(n[last] / len(n), risk[last], sure[order][last], area)


def limit_for(scores: Scores, risk: float) -> float | None:
    """The least confidence from which on at most `risk` of new cases should be wrong, by these cases (of val).

    The largest share of cases is taken whose risk, at the upper end of its one-sided 95 % interval (Clopper and
    Pearson, Biometrika 1934), is what was asked for; None where no share allows it. It was chosen here among many, so
    another split says what it is worth.

    Raises
    ------
    UsageError
        A risk not between 0 and 1.
    """
    if not 0 < risk < 1:
        raise UsageError("no such share of wrong answers", got=f"{risk:g}", wanted="between 0 and 1")
    found = risk_coverage(scores, resamples=1)
    if found is None:
        return None
    n = np.round(found.coverage * len(scores.cases))
    wrong = np.round(found.risk * n)
    bound = np.where(wrong < n, betaincinv(wrong + 1, np.maximum(n - wrong, 1), SURE), 1.0)
    kept = np.flatnonzero(bound <= risk)
    return float(found.confidence[kept[-1]]) if len(kept) else None


def answered_from(scores: Scores, limit: float, **sampling: Unpack[Sampling]) -> dict[str, Score]:
    """What a limit of confidence does on other cases: ``answered`` (share) and ``risk`` (share of those wrong)."""
    found = surety(scores)
    if found is None:
        return {}
    sure, wrong = found
    kept = sure >= limit
    metric = Metric("share", "", "higher", (0.0, 1.0), "", "", lambda *_: None, lambda *_: {})
    table = {"answered": share(kept, np.ones(len(kept), bool)), "risk": share(wrong, kept)}
    assert len(groups_of(scores.cases)) == len(kept)
    return scored(metric, table, scores.cases, settled(sampling))


def surety(scores: Scores) -> tuple[Array, Array] | None:
    """(n,) confidence (probability of the decision, 0 without one), and whether the decision is wrong.

    None where not every case was scored by probability and decision, or several labels may hold.
    """
    records = [{**c.records["auc"], **c.records["accuracy"]} for c in scores.cases
               if "auc" in c.records and "accuracy" in c.records]
    if not records or len(records) != len(scores.cases):
        return None
    a = answers(records)
    if a.multilabel:
        return None
    sure = np.where(a.answered, np.where(a.decision, a.p, 0.0).max(axis=1), 0.0)
    return np.nan_to_num(sure), ~right(a)


def _areas(sure: Array, wrong: Array, weights: Array) -> Array:
    """(r,) mean over cases of the risk among those at least as sure."""
    order = np.argsort(-sure, kind="stable")
    w, bad = weights[:, order], wrong[order].astype(float)
    _, start, sizes = np.unique(-sure[order], return_index=True, return_counts=True)
    ends = start + sizes - 1
    count, faults = w.cumsum(axis=1)[:, ends], (w * bad).cumsum(axis=1)[:, ends]
    block = np.diff(count, axis=1, prepend=0.0)
    risk = np.divide(faults, count, out=np.zeros_like(count), where=count > 0)
    return np.asarray((block * risk).sum(axis=1) / np.maximum(count[:, -1], 1e-300))
