"""What became of lesions, in words: change and its limits, never a response."""

from __future__ import annotations

from isocenter.data.findings.followed import Change, Followed, Lesion, Sized
from isocenter.inspect.follow_tables import UNITS, change
from isocenter.verbs._text import counted, table

STATES = ("kept", "split", "merged", "joined", "back", "gone", "new")
HEAD = ("lesion", "class", "became", "size", "now", "change", "limits of error", "diameter", "now")
WORDS = {"back": "back again", "joined": "grown into another"}


def headline(found: Followed) -> str:
    """The last examination against the first, in one or two sentences."""
    n = len(found.exams)
    states = [became(one) for one in found.lesions]
    told = [f"{states.count(state)} {WORDS.get(state, state)}" for state in STATES if state in states]
    since = f" after {found.exams[-1].day:g} days" if found.exams[-1].day else ""
    start = counted(found.exams[0].lesions, "lesion")
    first = f"{start} at the first of {n} examinations; at the last{since}: {', '.join(told) or 'none'}."
    return f"{first} {total_words(found, n - 1)}".strip()


def became(lesion: Lesion) -> str:
    """The state at the last examination against the first: what came in between is new as long as it is there."""
    last = lesion.seen[-1]
    if last is None:
        return ""
    return "new" if lesion.seen[0] is None and last.state in ("kept", "back") else last.state


def total_words(found: Followed, exam: int) -> str:
    """The sum of diameters at an examination, with its change and what it crossed; "" without targets."""
    if not found.totals or not exam:
        return ""
    total, n = found.totals[exam], sum(one.target for one in found.lesions)
    words = f"The sum of diameters of {counted(n, 'target lesion')} is {total.sum.value:.1f} mm"
    if total.baseline is not None:
        words += f": {moved(total.baseline)} since the baseline ({found.totals[0].sum.value:.1f} mm)"
    if exam > 1 and total.nadir is not None and total.from_nadir is not None:
        words += f", {moved(total.from_nadir)} since its smallest before ({total.nadir.value:.1f} mm)"
    crossed = f" Thresholds of RECIST 1.1: {'; '.join(total.crossed) or 'none is crossed'}"
    doubt = "" if total.sure in (True, None) else ", but the limits of error reach across the threshold"
    return f"{words}.{crossed}{doubt}."


def moved(value: Change) -> str:
    """A change with its limits.

    >>> moved(Change(-34.2, -41.0, -26.6))
    'fallen by 34 % (limits of error -41 to -27 %)'
    """
    word = f"{'risen' if value.percent > 0 else 'fallen'} by {abs(value.percent):.0f} %"
    word = "unchanged" if round(value.percent) == 0 else word
    return f"{word} (limits of error {value.low:+.0f} to {value.high:+.0f} %)"


def said(found: Followed) -> list[str]:
    """The headline, and a row a lesion: sizes at the first and the last examination and the change between."""
    lines = table(HEAD, [row(found, one) for one in found.lesions], right=(3, 4, 5, 7, 8)) if found.lesions else []
    return [headline(found), *lines]


def row(found: Followed, lesion: Lesion) -> tuple[str, ...]:
    """Cells of a lesion under `HEAD`: when it appeared against the last examination."""
    last = len(found.exams) - 1
    start = next(k for k, at in enumerate(lesion.seen) if at is not None)
    at, grown = lesion.seen[last], change(found, lesion, last)
    state = WORDS.get(found_as, found_as) if (found_as := became(lesion)) else ""
    state += f" at {start + 1}" if found_as == "new" and start < last else ""
    name = f"{lesion.name}{' target' if lesion.target else ''}"
    with_ = f" ({', '.join(at.into)})" if at and at.into else ""
    limits = "" if grown is None else f"{grown.low:+.0f} to {grown.high:+.0f} %"
    if grown is not None and not grown.beyond:
        limits += ", within error"
    diameters = [_length(lesion.diameter(k), found.length) for k in (start, last)]
    sizes = [amount(lesion.sizes(k), found.unit) for k in (start, last)]
    percent = "-" if grown is None else f"{grown.percent:+.0f} %"
    return (name, lesion.kind, state + with_, *sizes, percent, limits, *diameters)


def amount(value: Sized | None, unit: str) -> str:
    """A size with its unit: ml, mm2 or px.

    >>> amount(Sized(1234.0), "mm3"), amount(None, "mm2")
    ('1.23 ml', '-')
    """
    name, factor = UNITS[unit]
    return "-" if value is None else f"{value.value * factor:.3g} {name.rpartition('_')[2]}"


def _length(value: Sized | None, unit: str) -> str:
    return "-" if value is None else f"{value.value:.1f} {unit}"
