"""Groups of cases by a column: which there are, whether one fares differently, whether a score changes over time."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from isocenter.data import Cases, Scores
from isocenter.verbs._text import number, table

if TYPE_CHECKING:
    from isocenter.metrics.gaps import Gap, Trend

# Numbers or dates of more values than this are scored by thirds or years: nobody reads a table of every day.
MANY = 12
DATE = re.compile(r"(\d{4})-?(\d{2})?-?(\d{2})?(?:[T ].*)?")
# Of a Gregorian year.
DAYS = 365.2425
EMPTY = "(empty)"


def labelled(values: Sequence[str]) -> list[str]:
    """The group of each value: the value itself; of many dates the year, of many numbers the third.

    >>> labelled(["GE", "", "GE"])
    ['GE', '(empty)', 'GE']
    """
    texts = [v.strip() for v in values]
    plain = [v or EMPTY for v in texts]
    numbers = numbered(texts)
    if numbers is None or len(set(texts)) <= MANY:
        return plain
    if all(_date(v) is not None for v in texts if v):
        return [v[:4] if v else EMPTY for v in texts]
    known = sorted(n for n in numbers if n == n)
    low, high = (known[len(known) * k // 3] for k in (1, 2))
    names = (f"below {low:g}", f"{low:g} to below {high:g}", f"{high:g} and above")
    return [EMPTY if n != n else names[(n >= low) + (n >= high)] for n in numbers]


def numbered(values: Sequence[str]) -> list[float] | None:
    """Each value as a number, dates in years; NaN for an empty one; None where they are neither dates nor numbers.

    >>> numbered(["3", "", "5"]), numbered(["a"])
    ([3.0, nan, 5.0], None)
    """
    texts = [v.strip() for v in values]
    told = [v for v in texts if v]
    dates = {v: _date(v) for v in told}
    if told and all(d is not None for d in dates.values()):
        return [float("nan") if not v else float(dates[v] or 0.0) for v in texts]
    try:
        return [float(v) if v else float("nan") for v in texts] if told else None
    except ValueError:
        return None


def compared(scores: Scores, test: Cases, column: str, *, seed: int = 0) -> tuple[tuple[Gap, ...], Trend | None]:
    """Each group of a column against the rest, and the trend along it where it holds numbers or dates.

    Parameters
    ----------
    scores
        Of all cases.
    test
        The cases, with their notes.
    column
        One of these.
    seed
        Of the resampling.
    """
    from isocenter import catalog
    from isocenter.metrics.gaps import gaps, trend

    notes = {e.id: str(e.notes.get(column, "")) for e in test.entries}
    values = [notes[c.case] for c in scores.cases]
    task, numbers = catalog.task(scores.task), numbered(values)
    found = gaps(task, scores, labelled(values), positive=test.positive, seed=seed)
    along = trend(task, scores, numbers, seed=seed) if numbers is not None and len(set(values)) > 2 else None
    return found, along


def group_lines(found: Sequence[Gap], along: Trend | None) -> list[str]:
    """The table of gaps, and the trend as a sentence."""
    lines: list[str] = []
    if found:
        rows = [(g.group, str(g.n), str(g.n_subjects), number(g.value), number(g.rest), number(g.difference),
                 number(g.low), number(g.high), _p(g.p_holm), ", ".join(g.flags)) for g in found]
        head = ("group", "cases", "subjects", found[0].metric, "rest", "difference", "low", "high", "p (Holm)", "flags")
        lines += ["", *table(head, rows, right=range(1, 9))]
    if along is not None and along.slope is not None:
        p = "" if along.p is None else f", p {_p(along.p)}"
        said = f"{along.slope:+.4g} in {along.metric} per unit (years for dates)"
        lines += ["", f"trend: {said}{p} ({along.test}, {along.n} cases of {along.n_subjects} subjects)"]
    return lines


def groups_json(found: Sequence[Gap], along: Trend | None) -> dict[str, Any]:
    """Plain values."""
    return {"gaps": [g.as_json() for g in found], "trend": along.as_json() if along else None}


def _p(p: float | None) -> str:
    return "-" if p is None else f"{p:.3f}" if p >= 0.001 else "<0.001"


def _date(text: str) -> float | None:
    """A date as YYYY-MM-DD, YYYYMMDD, YYYY-MM or, between 1900 and 2100, YYYY, in years; None for anything else."""
    found = DATE.fullmatch(text)
    if found is None or not 1900 <= int(found[1]) <= 2100:
        return None
    try:
        day = datetime.date(int(found[1]), int(found[2] or 7), int(found[3] or 1))
    except ValueError:
        return None
    return 1 + (day.toordinal() - 1) / DAYS
