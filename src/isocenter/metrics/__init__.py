"""How well: metrics as record and summary, intervals, paired tests, curves, thresholds."""

from __future__ import annotations

from isocenter.metrics.agreement import BlandAltman, bland_altman, cohen_kappa, icc
from isocenter.metrics.by_case import means, tables, values_of
from isocenter.metrics.classify import Answers, answers
from isocenter.metrics.curves import (
    Confusion,
    Reliability,
    Roc,
    confusion,
    operating_point,
    precision_recall,
    reliability,
    roc,
)
from isocenter.metrics.metric import Estimate, Metric, mean_estimate
from isocenter.metrics.pairs import compare, lead_target
from isocenter.metrics.precision import expected_width
from isocenter.metrics.registry import METRICS, get, records
from isocenter.metrics.summary import summarise
from isocenter.metrics.threshold import best_threshold, fit_temperature, steady_threshold

__all__ = [
    "METRICS", "Answers", "BlandAltman", "Confusion", "Estimate", "Metric", "Reliability", "Roc", "answers",
    "best_threshold", "bland_altman", "cohen_kappa", "compare", "confusion", "expected_width", "fit_temperature", "get",
    "icc", "lead_target", "mean_estimate", "means", "operating_point", "precision_recall", "records", "reliability",
    "roc", "steady_threshold", "summarise", "tables", "values_of",
]
