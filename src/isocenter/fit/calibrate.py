"""Temperature and thresholds, chosen on val."""

from __future__ import annotations

import numpy as np

from isocenter.fit.validation import log_loss
from isocenter.ops.array import Array

# A perfectly separated val would ask for certainty; nobody is that sure.
SHARPEST, SOFTEST = 0.25, 20.0


def temperature(logits: Array, truth: Array, *, multilabel: bool = False) -> float:
    """The divisor of the logits with the least log loss (Guo et al. 2017), by golden-section search in its logarithm.

    Parameters
    ----------
    logits, truth
        (n, classes).
    """
    low, high = np.log(SHARPEST), np.log(SOFTEST)
    golden = (np.sqrt(5) - 1) / 2

    def cost(t: float) -> float:
        return log_loss(logits / np.exp(t), truth, multilabel=multilabel)

    a, b = high - golden * (high - low), low + golden * (high - low)
    fa, fb = cost(a), cost(b)
    for _ in range(60):
        if fa <= fb:
            high, b, fb = b, a, fa
            a = high - golden * (high - low)
            fa = cost(a)
        else:
            low, a, fa = a, b, fb
            b = low + golden * (high - low)
            fb = cost(b)
    best = float(np.exp((low + high) / 2))
    return best if cost(np.log(best)) <= cost(0.0) else 1.0


def threshold(probability: Array, truth: Array) -> float:
    """The probability from which to decide for the positive class, with the best balanced accuracy on val.

    Among equal choices the middle of the widest gap nearest to 1/2 is taken.

    Parameters
    ----------
    probability, truth
        (n,): of the positive class; 0 or 1.
    """
    if not 0 < truth.sum() < len(truth):
        return 0.5
    order = np.unique(probability)
    cuts = np.concatenate([[0.5], (order[:-1] + order[1:]) / 2])
    positive = truth > 0.5
    scores = np.array([((probability >= c)[positive].mean() + (probability < c)[~positive].mean()) / 2 for c in cuts])
    best = cuts[scores >= scores.max() - 1e-12]
    return float(best[np.argmin(np.abs(best - 0.5))])
