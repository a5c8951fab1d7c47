"""Metrics of an explanation."""

from __future__ import annotations

from typing import Any

from isocenter.data import Attribution, NotEvaluated
from isocenter.metrics.by_case import means
from isocenter.metrics.metric import Metric


def completeness(prediction: Attribution | NotEvaluated, truth: Any = None) -> dict[str, Any]:
    """What integrated gradients left unexplained; a method without that property does not enter."""
    value = prediction.completeness if isinstance(prediction, Attribution) else None
    return {"values": {"all": None if value is None else float(value)}}


EXPLAIN = (
    Metric("completeness", "", "lower", (0.0, None),
           "|sum of attributions - change of the answer| over |change of the answer|",
           "Sundararajan, Taly, Yan, ICML 2017", completeness, means, by_case=True),
)
