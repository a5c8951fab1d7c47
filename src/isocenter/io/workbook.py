"""Tables as an XLSX workbook: numbers as numbers, text as text that no spreadsheet runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from isocenter import files
from isocenter.errors import OutputError

# A spreadsheet holds no more (ECMA-376, as Excel reads it).
ROWS = 1_048_576


Sheet: TypeAlias = tuple[Sequence[str], Sequence[Mapping[str, Any]]]


def write_workbook(path: str | Path, sheets: Mapping[str, Sheet], *, overwrite: bool = False) -> Path:
    """Writes one sheet a table, under a heading that stays in sight.

    Parameters
    ----------
    path
        Where to, ``.xlsx``.
    sheets
        Title to columns and rows; a row lacks what it has no key for. Numbers stay numbers, None is an empty cell,
        everything else is text, whatever it looks like.
    overwrite
        Replace an existing file.

    Raises
    ------
    OutputError
        The file exists, a table has more rows than a sheet, or a text holds control characters.
    """
    import openpyxl

    path = Path(path)
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, (header, rows) in sheets.items():
        if len(rows) >= ROWS:
            raise OutputError("too many rows for a sheet", where=str(path), got=str(len(rows)), remedy="Write .csv")
        sheet = book.create_sheet(title[:31])
        sheet.freeze_panes = "A2"
        for r, line in enumerate([header, *([row.get(name) for name in header] for row in rows)], 1):
            for c, value in enumerate(line, 1):
                if value is not None:
                    _put(sheet.cell(r, c), value, path)
    with files.written(path, overwrite=overwrite) as part:
        book.save(part)
    return path


def _put(cell: Any, value: Any, path: Path) -> None:
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    if isinstance(value, int | float):
        cell.value = value
        return
    text = str(value)
    if ILLEGAL_CHARACTERS_RE.search(text):
        remedy = "Write .csv, or clean the name"
        raise OutputError("a workbook cannot hold control characters", where=str(path), got=repr(text), remedy=remedy)
    cell.value = text
    # As text: a name must not become a formula.
    cell.data_type = "s"
