"""Dates become days, in order, or are refused with what to do."""

import pytest

from isocenter.errors import UsageError
from isocenter.verbs._dates import days_of


@pytest.mark.parametrize(("dates", "days", "order"), [
    (["2024-01-01", "2024-04-02", "2025-01-01"], (0, 92, 366), (0, 1, 2)),
    (["20240402", "20240101"], (0, 92), (1, 0)),
    (["2024-01-01T06:00", "2024-01-01T18:00"], (0, 0.5), (0, 1)),
    (["0", "92", "-10"], (0, 10, 102), (2, 0, 1)),
    (["0.5", "1"], (0, 0.5), (0, 1)),
])
def test_days_after_the_earliest_in_order(dates, days, order):
    assert days_of(dates) == (tuple(map(float, days)), order)


def test_no_dates_no_days():
    assert days_of(["", " "]) is None


@pytest.mark.parametrize(("dates", "words"), [
    (["2024-01-01", ""], "examination 2 has no date"),
    (["2024-01-01", "2024-01-01"], "same date"),
    (["01.02.2024", "2024-01-01"], "not a date"),
    (["2024-13-01", "2024-01-01"], "not a date"),
    (["yesterday", "2024-01-01"], "not a date"),
])
def test_what_leaves_the_order_open_is_refused(dates, words):
    with pytest.raises(UsageError, match=words):
        days_of(dates)
