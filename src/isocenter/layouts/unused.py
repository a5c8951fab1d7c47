"""Tables that lie beside images and say nothing about them: told, so that no label is lost in silence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from isocenter.data import Problem
from isocenter.errors import IsocenterError
from isocenter.layouts import columns, table_files


def unused_tables(folder: Path) -> Iterator[Problem]:
    """A warning for each table in a folder that was read without one, with the reason.

    Parameters
    ----------
    folder
        Only its own files are looked at, none below.
    """
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in table_files.SUFFIXES and path.is_file() and not path.name.startswith((".", "~")):
            yield _why(path)


def _why(path: Path) -> Problem:
    what, wanted = "this table was not used, so what it says about the images is unknown", "a column image or file"
    try:
        table = table_files.read(path)
    except IsocenterError as error:
        got = ", ".join(w for w in (error.what, error.got) if w)
        return Problem("table-unused", "warning", what, str(path), got, error.wanted, error.remedy)
    if columns.has_images(table):
        return Problem("table-unused", "warning", what, str(path), "", "", "Name the table itself")
    shown = ", ".join(table.columns[:8]) + (f" and {len(table.columns) - 8} more" if len(table.columns) > 8 else "")
    remedy = "Name the column that holds the file names 'image'"
    return Problem("table-unused", "warning", what, str(path), f"columns {shown}", wanted, remedy)
