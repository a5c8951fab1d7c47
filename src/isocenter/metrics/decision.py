"""Would deciding by the answers do more good than treating all, or none?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Unpack

import numpy as np

from isocenter.data import Scores
from isocenter.metrics.classify import answers
from isocenter.metrics.resample import groups_of, percentile_interval, weights
from isocenter.metrics.summary import Sampling, settled
from isocenter.ops.array import Array

# Thresholds at which the curve is known.
THRESHOLDS = np.round(np.arange(0.01, 1.0, 0.01), 2)


@dataclass(frozen=True, eq=False)
class DecisionCurve:
    """Net benefit over the probability from which one would act.

    Parameters
    ----------
    target
        The class.
    threshold
        (k,) probabilities: one who acts from 0.2 on takes one case with the class to be worth four without it.
    benefit
        (k,) of acting by the answers: true positives by all cases, less false positives by all weighed by the odds of
        the threshold.
    low, high
        (k,) its interval, resampled by group; None with fewer than 2 groups.
    treat_all
        (k,) of acting always; acting never has 0.
    gain_low, gain_high
        (k,) interval of the benefit less that of the better of always and never; None with fewer than 2 groups.
    n
        Cases.
    """

    target: str
    threshold: Array
    benefit: Array
    low: Array | None
    high: Array | None
    treat_all: Array
    gain_low: Array | None
    gain_high: Array | None
    n: int

    @property
    def gain(self) -> Array:
        """(k,) benefit less that of the better of acting always and never."""
        return np.asarray(self.benefit - np.maximum(self.treat_all, 0.0))

    @property
    def useful(self) -> tuple[float, float] | None:
        """Lowest and highest threshold at which the gain's interval lies above 0; None where there is none."""
        found = self.threshold[self.gain_low > 0] if self.gain_low is not None else np.zeros(0)
        return (float(found.min()), float(found.max())) if len(found) else None


def decision_curve(scores: Scores, target: str, **sampling: Unpack[Sampling]) -> DecisionCurve | None:
    """The decision curve of one class against the rest.

    A case without an answer is decided wrongly at every threshold, as in the tables.

    Source: Vickers and Elkin, Medical Decision Making 26 (2006) 565; Vickers, Cronin, Elkin, Gonen, BMC Medical
    Informatics and Decision Making 8 (2008) 53, for the resampled interval.

    Parameters
    ----------
    scores
        Of classify.
    target
        A class of the truth.
    **sampling
        ``level``, ``resamples``, ``seed``.

    Returns
    -------
    The curve; None where no case was scored by probability, or all cases or none have the class.

    Raises
    ------
    NotFoundError
        No such class.
    """
    records = [c.records["auc"] for c in scores.cases if "auc" in c.records]
    if not records:
        return None
    a = answers(records)
    k = a.one(target)
    truth, p = a.truth[:, k], a.certain()[:, k]
    if not 0 < truth.sum() < len(truth):
        return None
    odds = THRESHOLDS / (1 - THRESHOLDS)
    acted = p[:, None] >= THRESHOLDS[None]
    each = (acted & truth[:, None]) - (acted & ~truth[:, None]) * odds
    always = truth[:, None] - (~truth)[:, None] * odds
    benefit, treat_all = each.mean(axis=0), always.mean(axis=0)
    how, groups = settled(sampling), groups_of(scores.cases)
    count = len(np.unique(groups))
    if count < 2:
        return DecisionCurve(target, THRESHOLDS, benefit, None, None, treat_all, None, None, len(p))
    drawn, gains = [], []
    for w in weights(groups, how.resamples, how.seed):
        share = w / w.sum(axis=1, keepdims=True)
        found = share @ each
        drawn.append(found)
        gains.append(found - np.maximum(share @ always, 0.0))
    (low, high), (gain_low, gain_high) = (
        np.array([percentile_interval(column, how.level, count) for column in np.concatenate(part).T]).T
        for part in (drawn, gains)
    )
    return DecisionCurve(target, THRESHOLDS, benefit, low, high, treat_all, gain_low, gain_high, len(p))
