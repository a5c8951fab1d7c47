"""Tables as CSV that no spreadsheet runs.

A cell that a spreadsheet would take for a formula (it begins with = + - @, a tab or a return, and is no number) gets an
apostrophe in front, and so does one that begins with an apostrophe; reading takes it off again (OWASP, CSV injection).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from isocenter.files import write_text

RISKY = ("=", "+", "-", "@", "\t", "\r", "'")


def safe(cell: Any) -> str:
    """A cell as text that is only text.

    >>> safe("=1+1"), safe(-0.5), safe("-0.5"), safe(None), safe("'x")
    ("'=1+1", '-0.5', '-0.5', '', "''x")
    """
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(RISKY) and not _number(text) else text


def restored(cell: str) -> str:
    """The text that `safe` was given.

    >>> restored("'=1+1"), restored("-0.5"), restored("''x")
    ('=1+1', '-0.5', "'x")
    """
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(RISKY) else cell


def write_rows(
    path: Path, header: Sequence[str], *, rows: Sequence[Mapping[str, Any]], overwrite: bool = False
) -> Path:
    """Writes a table; a row lacks what it has no key for. Raises as `isocenter.files.written`."""
    out = io.StringIO()
    # The line end of RFC 4180; with it a return inside a cell is quoted.
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([safe(name) for name in header])
    writer.writerows([safe(row.get(name)) for name in header] for row in rows)
    # The mark at the start tells spreadsheets that the text is UTF-8.
    write_text(path, "\ufeff" + out.getvalue(), overwrite=overwrite)
    return path


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a table that `write_rows` wrote."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [{restored(k): restored(v) for k, v in row.items()} for row in csv.DictReader(file)]


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.strip() == text
