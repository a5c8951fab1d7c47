"""How well: metrics as record and summary, intervals, paired tests, curves, thresholds."""

from __future__ import annotations

from isocenter.metrics.threshold import best_threshold, fit_temperature

__all__ = ["best_threshold", "fit_temperature"]
