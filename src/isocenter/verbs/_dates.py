"""Dates of examinations as days after the first."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from itertools import pairwise

from isocenter.errors import UsageError

WANTED = "2024-03-01, 2024-03-01T09:30, 20240301, or days such as 0 and 92"


def days_of(dates: Sequence[str], *, where: str = "") -> tuple[tuple[float, ...], tuple[int, ...]] | None:
    """Days after the earliest, in order of time, and the order in which they were given; None where none is known.

    Raises
    ------
    UsageError
        Some are missing and some not, one is no date, or two are the same.

    >>> days_of(["2024-03-01", "2024-01-31"])
    ((0.0, 30.0), (1, 0))
    """
    texts = [str(d).strip() for d in dates]
    if not any(texts):
        return None
    missing = [i + 1 for i, t in enumerate(texts) if not t]
    if missing:
        raise UsageError(f"examination {', '.join(map(str, missing))} has no date", where=where, wanted=WANTED,
                         remedy="Name the date of each examination, or of none: then the order given is taken")
    days = [_day(t, where) for t in texts]
    order = sorted(range(len(days)), key=lambda i: days[i])
    for a, b in pairwise(order):
        if days[a] == days[b]:
            raise UsageError("two examinations have the same date, so which came first is unknown", where=where,
                             got=f"{texts[a]} for examinations {a + 1} and {b + 1}",
                             remedy="Add the time (2024-03-01T09:30), or leave all dates out to take the order given")
    return tuple(round(days[i] - days[order[0]], 4) for i in order), tuple(order)


def _day(text: str, where: str) -> float:
    """Days since the year 1, or the number itself where it is one of few digits."""
    compact = text.replace(".", "", 1)
    if compact.lstrip("-").isdigit() and len(compact.lstrip("-")) < 8:
        return float(text)
    try:
        when = datetime.datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError("not a date", where=where, got=text, wanted=WANTED) from error
    return when.toordinal() + (when.hour + (when.minute + when.second / 60) / 60) / 24
