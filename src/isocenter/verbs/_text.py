"""Values as text: tables that line up in any script, numbers without false digits."""

from __future__ import annotations

import json
import shlex
import unicodedata
from collections.abc import Sequence
from pathlib import Path


def width(text: str) -> int:
    """Columns that a text takes on a terminal (Chinese characters take two)."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> list[str]:
    """Lines of a table.

    Parameters
    ----------
    header, rows
        Cells as text; every row as long as the header.
    right
        Columns that are aligned to the right.

    >>> table(("a", "n"), [("x", "10"), ("long", "9")], right=[1])
    ['a      n', 'x     10', 'long   9']
    """
    widths = [max(width(row[i]) for row in (header, *rows)) for i in range(len(header))]

    def line(row: Sequence[str]) -> str:
        cells = []
        for i, (cell, size) in enumerate(zip(row, widths, strict=True)):
            blank = " " * (size - width(cell))
            cells.append(blank + cell if i in right else cell + blank)
        return "  ".join(cells).rstrip()

    return [line(header), *map(line, rows)]


def number(value: float | None) -> str:
    """A number with three decimals below 10, fewer above; ``"-"`` where there is none.

    >>> number(0.81249), number(23.456), number(12345.6), number(None)
    ('0.812', '23.46', '12346', '-')
    """
    if value is None:
        return "-"
    size = abs(value)
    return (
        f"{value:.3f}"
        if size < 10
        else f"{value:.2f}"
        if size < 100
        else f"{value:.1f}"
        if size < 1000
        else f"{value:.0f}"
    )


def setting(value: object) -> str:
    """The value of a setting as a command takes it: three significant digits, lists and mappings as JSON.

    >>> setting(0.0003127), setting(64), setting(["PET", "facts"]), setting("resnet18"), setting(None)
    ('0.000313', '64', '["PET", "facts"]', 'resnet18', 'none')
    """
    if isinstance(value, float):
        return f"{value:.3g}"
    if value is None:
        return "none"
    return json.dumps(value) if isinstance(value, (list, tuple, dict, bool)) else str(value)


def duration(seconds: float | None) -> str:
    """A span of time for people.

    >>> duration(0.42), duration(75), duration(7300)
    ('0.42 s', '1 min 15 s', '2 h 1 min')
    """
    if seconds is None:
        return "-"
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def counted(n: int, noun: str, *, many: str = "") -> str:
    """A number with its noun.

    >>> counted(1, "case"), counted(3, "case"), counted(2, "class", many="classes")
    ('1 case', '3 cases', '2 classes')
    """
    return f"{n} {noun if n == 1 else many or noun + 's'}"


def typed(path: str | Path) -> str:
    """A path as it must be typed in a command: quoted where a shell would take it apart.

    >>> typed("scans/ct.nii.gz"), typed("my scans/a.png"), typed("影像/甲.png")
    ('scans/ct.nii.gz', "'my scans/a.png'", '影像/甲.png')
    """
    text = str(path)
    plain = all(c.isalnum() or c in "@%+=:,./-_\\" for c in text)
    return text if plain and text else shlex.quote(text)
