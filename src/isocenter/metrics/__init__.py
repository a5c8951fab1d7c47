"""How well: metrics as record and summary, intervals, paired tests, curves, thresholds."""

from __future__ import annotations

from isocenter.metrics.metric import Estimate, Metric, mean_estimate
from isocenter.metrics.pairs import compare, lead_target
from isocenter.metrics.registry import METRICS, get, records
from isocenter.metrics.summary import summarise
from isocenter.metrics.threshold import best_threshold, fit_temperature

__all__ = [
    "METRICS", "Estimate", "Metric", "best_threshold", "compare", "fit_temperature", "get", "lead_target",
    "mean_estimate", "records", "summarise",
]
