"""The parts that metrics are made of."""

from __future__ import annotations

import numpy as np

from isocenter.metrics import mean_estimate
from isocenter.metrics.metric import mean_of_targets, ratio


def test_ratio_is_nan_where_nothing_is_counted() -> None:
    assert np.array_equal(ratio(np.array([1.0, 2.0]), np.array([0.0, 4.0])), [np.nan, 0.5], equal_nan=True)


def test_mean_estimate_weighs_cases() -> None:
    e = mean_estimate(np.array([1.0, np.nan, 3.0]), unit="mm")
    w = np.array([[1.0, 1.0, 1.0], [3.0, 5.0, 1.0], [0.0, 1.0, 0.0]])
    assert np.array_equal(e.at(w), [2.0, 1.5, np.nan], equal_nan=True)
    assert e.entered.tolist() == [True, False, True] and e.unit == "mm"


def test_mean_of_targets_counts_every_case_that_entered_any() -> None:
    a = mean_estimate(np.array([1.0, np.nan, np.nan]), unit="mm", rarer=7)
    b = mean_estimate(np.array([np.nan, 2.0, np.nan]), unit="mm", rarer=3)
    both = mean_of_targets({"a": a, "b": b}, ["a", "b"])
    assert both.entered.tolist() == [True, True, False] and both.parts == ("a", "b")
    assert both.unit == "mm" and both.rarer == 3 and np.isnan(both.at(np.ones((2, 3)))).all()
