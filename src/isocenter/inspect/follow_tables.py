"""What became of lesions as tables: the sum of diameters an examination, a row a lesion and examination, the exams."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from isocenter.data.findings.followed import Change, Followed, Lesion, Sized
from isocenter.inspect.readout import Readout, joined

# Of sizes: the column's name, and what a value is multiplied by.
UNITS = {"mm3": ("volume_ml", 1e-3), "mm2": ("area_mm2", 1.0), "px": ("size_px", 1.0)}


def tables(followed: Sequence[Followed]) -> dict[str, Readout]:
    """``sums``, ``lesions`` and ``exams``; a column for the subject where there are several.

    Dates do not stand in them: days after the baseline do.
    """
    several = len(followed) > 1
    made = {"sums": sums, "lesions": lesions, "exams": exams}
    return {
        title: joined([({"subject": one.subject or f"subject {i + 1}"} if several else {}, make(one))
                       for i, one in enumerate(followed)])
        for title, make in made.items()
    }


def sums(found: Followed) -> Readout:
    """One row an examination: the sum of diameters, its changes, what was crossed, and how many lesions did what."""
    rows = []
    for k, exam in enumerate(found.exams):
        total = found.totals[k] if found.totals else None
        row: dict[str, Any] = {"exam": k + 1, "day": exam.day}
        row |= _three("sum_mm", total.sum if total else None)
        row |= _changes("from_baseline_percent", total.baseline if total else None)
        row |= {"nadir_mm": total.nadir.value if total and total.nadir else None}
        row |= _changes("from_nadir_percent", total.from_nadir if total else None)
        row |= {"crossed": "; ".join(total.crossed) if total else "", "beyond_error": None if total is None else
                None if total.sure is None else int(total.sure)}
        row |= {state: found.count(state, k) for state in ("kept", "new", "gone", "split", "merged", "back")}
        rows.append(row)
    return _readout(rows)


def lesions(found: Followed) -> Readout:
    """One row a lesion and examination since it appeared."""
    name, factor = UNITS[found.unit]
    length = found.length
    rows = []
    for lesion in found.lesions:
        for k, at in enumerate(lesion.seen):
            if at is None:
                continue
            row: dict[str, Any] = {
                "lesion": lesion.name, "class": lesion.kind, "node": int(lesion.node), "target": int(lesion.target),
                "exam": k + 1, "day": found.exams[k].day, "state": at.state, "parts": len(at.parts),
                "with": " ".join(at.into), "overlap": at.overlap, f"shift_{length}": at.shift,
            }  # fmt: skip
            row |= _three(name, at.size, factor)
            row |= _three(f"longest_{length}", at.longest) | _three(f"short_{length}", at.short)
            row |= _changes("size_from_baseline_percent", change(found, lesion, k))
            row |= _changes("size_from_previous_percent", change(found, lesion, k, since=previous(lesion, k)))
            row |= {"doubling_days": doubling(found, lesion, k)}
            rows.append(row)
    return _readout(rows, LESIONS)


def exams(found: Followed) -> Readout:
    """One row an examination: what it holds, and how it was brought to the baseline."""
    name, factor = UNITS[found.unit]
    rows = [
        {"exam": k + 1, "day": e.day, "lesions": e.lesions, **_three(name, e.burden, factor), "brought": e.aligned,
         f"residual_{found.length}": e.residual, **dict(e.numbers)}
        for k, e in enumerate(found.exams)
    ]
    return _readout(rows)


def previous(lesion: Lesion, exam: int) -> int | None:
    """The last examination before at which the lesion was there; None where there was none."""
    return next((k for k in reversed(range(exam)) if (s := lesion.sizes(k)) is not None and s.value > 0), None)


def first(lesion: Lesion) -> int:
    """The examination at which it appeared."""
    return next(k for k, at in enumerate(lesion.seen) if at is not None)


def change(found: Followed, lesion: Lesion, exam: int, *, since: int | None = -1) -> Change | None:
    """Of its size since it appeared, or since an examination; what joined it counts as its own before.

    None at the first examination, where it joined another lesion, or with `since` None.
    """
    start = first(lesion) if since == -1 else since
    after = lesion.sizes(exam)
    if start is None or start >= exam or after is None:
        return None
    before = _with_joined(found, lesion, start, exam)
    return None if before is None else Change.between(before, after)


def _with_joined(found: Followed, lesion: Lesion, start: int, exam: int) -> Sized | None:
    """Its size at an examination, with the sizes of all that are part of it at a later one."""
    own = lesion.sizes(start)
    for other in found.lesions:
        at = other.seen[exam]
        if at is not None and at.state == "joined" and at.into == (lesion.name,) and own is not None:
            own = own + (other.sizes(start) or Sized(0.0))
    return own


def doubling(found: Followed, lesion: Lesion, exam: int) -> float | None:
    """Days in which the size doubles at the rate since the examination before; negative: halves; None if unknown."""
    since = previous(lesion, exam)
    found_change = change(found, lesion, exam, since=since)
    if since is None or found_change is None or found_change.percent <= -100:
        return None
    days = (found.exams[exam].day, found.exams[since].day)
    grown = math.log1p(found_change.percent / 100)
    if days[0] is None or days[1] is None or abs(grown) < 1e-9:
        return None
    return round((days[0] - days[1]) * math.log(2) / grown, 1)


def _three(name: str, value: Sized | None, factor: float = 1.0) -> dict[str, float | None]:
    if value is None:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    return {name: value.value * factor, f"{name}_low": value.low * factor, f"{name}_high": value.high * factor}


def _changes(name: str, value: Change | None) -> dict[str, float | None]:
    if value is None:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    return {name: value.percent, f"{name}_low": value.low, f"{name}_high": value.high}


LESIONS = ("lesion", "class", "exam", "state")


def _readout(rows: Sequence[dict[str, Any]], header: Sequence[str] = ()) -> Readout:
    names = tuple(dict.fromkeys(k for row in rows for k in row)) or tuple(header)
    return joined([({}, Readout(names, tuple({k: _rounded(v) for k, v in row.items()} for row in rows)))])


def _rounded(value: Any) -> Any:
    return float(f"{value:.6g}") if isinstance(value, float) and math.isfinite(value) else value
