"""Tables as CSV that no spreadsheet runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from isocenter.files import write_text
from isocenter.io.spreadsheet import restored, safe


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
