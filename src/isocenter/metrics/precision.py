"""What a test split of this size can prove, before anything is trained."""

from __future__ import annotations

import math
from types import MappingProxyType

from scipy.special import ndtri, stdtrit

from isocenter.errors import NotFoundError, UsageError, nearest
from isocenter.metrics.ranking import auc_variance
from isocenter.metrics.resample import wilson

# What to reckon with when nobody says: a share, or the spread of values between cases.
SHARES = MappingProxyType(dict.fromkeys(("accuracy", "balanced_accuracy", "sensitivity", "specificity", "f1"), 0.8))
SPREADS = MappingProxyType({
    "dice": 0.1, "jaccard": 0.12, "precision": 0.12, "recall": 0.12, "nsd": 0.15, "hd95": 5.0, "assd": 1.0,
    "volume_error": 0.15, "brier": 0.2, "log_loss": 0.6,
})
RANKINGS = MappingProxyType({"auc": 0.85})


def expected_width(
    metric: str, n: int, p_or_sd: float | None = None, *, positives: float = 0.5, level: float = 0.95
) -> float | None:
    """How wide the interval of a metric will be, low to high, with n independent groups.

    Shares by Wilson's formula, means by the t distribution, AUC by `isocenter.metrics.ranking.auc_variance`.

    Parameters
    ----------
    metric
        A key of segment or classify; of the latter ece and average_precision have no formula.
    n
        Number of groups; for sensitivity (specificity) those with (without) the class.
    p_or_sd
        The share or AUC that is hoped for, or for metrics with a value per case their standard deviation between cases;
        None: 0.8 for a share, 0.85 for AUC, and typical spreads (0.1 for Dice).
    positives
        Share of cases with the class, for AUC.
    level
        Of the interval.

    Returns
    -------
    float or None
        None where n is too small for an interval.

    Raises
    ------
    NotFoundError
        No formula for that metric.
    UsageError
        A share or AUC outside [0, 1], or a negative spread.

    >>> round(expected_width("dice", 100), 3)
    0.04
    """
    known = {**SHARES, **SPREADS, **RANKINGS}
    if metric not in known:
        raise NotFoundError(f"no formula for the interval of {metric!r}", remedy=nearest(metric, known))
    value = known[metric] if p_or_sd is None else p_or_sd
    if value < 0 or (metric not in SPREADS and value > 1):
        raise UsageError("not a share or a spread", where=metric, got=str(value))
    if n < 2:
        return None
    if metric in SPREADS:
        return float(-2 * stdtrit(n - 1, (1 - level) / 2) * value / math.sqrt(n))
    if metric in SHARES:
        low, high = wilson(value * n, n, level)
        return high - low
    return _auc_width(value, n * positives, n * (1 - positives), level)


def _auc_width(auc: float, m: float, n: float, level: float) -> float | None:
    if min(m, n) < 1:
        return None
    half = -float(ndtri((1 - level) / 2)) * math.sqrt(auc_variance(auc, m, n))
    return min(1.0, auc + half) - max(0.0, auc - half)
