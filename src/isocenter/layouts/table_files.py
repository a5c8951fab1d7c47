"""Tables on disk and in memory as rows of text: CSV, TSV, XLSX, Parquet, data frames."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isocenter.errors import AmbiguousError, MissingFileError, TableError, UnreadableError, nearest
from isocenter.io.spreadsheet import restored

SUFFIXES = (".csv", ".tsv", ".xlsx", ".parquet")
# A table is read whole; more than this is no manifest.
LARGEST = 1 << 30


@dataclass(frozen=True)
class Row:
    """One row: its number as a spreadsheet counts (the header is 1), and its cells by column, stripped."""

    number: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


@dataclass(frozen=True)
class Table:
    """Rows of text under named columns.

    Parameters
    ----------
    path
        The file; for a table in memory the folder that its paths are relative to, with an invented name.
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def base(self) -> Path:
        """The folder that paths in cells are relative to."""
        return self.path.parent

    def require(self, column: str, where: str) -> str:
        """The column's name; TableError names the nearest when there is none."""
        if column not in self.columns:
            remedy = nearest(column, self.columns)
            raise TableError(f"no column {column!r}", where=f"{self.path.name}, {where}", remedy=remedy)
        return column


def read(path: Path) -> Table:
    """The table in a file; cells of text tables without the apostrophe that keeps spreadsheets from running them.

    Raises
    ------
    MissingFileError, UnreadableError
        No such file; or not text in UTF-8, not a workbook, of an unknown kind.
    TableError
        No header, two columns of one name, or a row that is longer or shorter than the header.
    AmbiguousError
        A workbook with several filled sheets, none of them named cases or manifest.
    """
    if not path.is_file():
        raise MissingFileError("no such table", where=str(path))
    if path.stat().st_size > LARGEST:
        raise UnreadableError("too large for a table", where=str(path), got=f"{path.stat().st_size >> 20} MB")
    kind = path.suffix.lower()
    if kind == ".xlsx":
        return _table(path, _workbook(path))
    if kind == ".parquet":
        return of_frame(_parquet(path), path)
    return _table(path, _text(path, "\t" if kind == ".tsv" else ","))


def of_frame(frame: Any, path: Path) -> Table:
    """The table in a pandas data frame; paths are relative to the folder of `path`."""
    columns = [str(c) for c in frame.columns]
    lines = ((i, [cell(v) for v in values]) for i, values in enumerate(frame.itertuples(index=False, name=None), 2))
    return _table(path, [(1, columns), *lines])


def cell(value: Any) -> str:
    """A value as the text of a cell: nothing for None and NaN, whole numbers without a point.

    >>> cell(3.0), cell(None), cell(" a "), cell(float("nan"))
    ('3', '', 'a', '')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)) or str(value) in ("NaT", "<NA>"):
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value).strip()


def _text(path: Path, delimiter: str) -> list[tuple[int, list[str]]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError(
            "not a table in UTF-8", where=str(path), got=f"byte {error.start}", remedy="Save it as CSV in UTF-8"
        ) from error
    header = text.split("\n", 1)[0]
    # Spreadsheets of half the world write semicolons into CSV, because their comma is the decimal mark.
    if delimiter == "," and ";" in header and "," not in header:
        delimiter = ";"
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        return [(reader.line_num, [restored(c.strip()) for c in line]) for line in reader]
    except csv.Error as error:
        raise UnreadableError("not a table", where=str(path), got=str(error)) from error


def _workbook(path: Path) -> list[tuple[int, list[str]]]:
    import openpyxl

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        sheets = {s.title: [[cell(v) for v in line] for line in s.iter_rows(values_only=True)] for s in book.worksheets}
        book.close()
    except Exception as error:  # openpyxl raises whatever zip, XML and its own reader raise
        raise UnreadableError("not a workbook", where=str(path), got=str(error).split("\n")[0][:160]) from error
    filled = {title: lines for title, lines in sheets.items() if any(any(line) for line in lines)}
    named = [t for t in filled if t.strip().lower() in ("cases", "manifest")]
    if len(filled) > 1 and len(named) != 1:
        raise AmbiguousError(
            "several sheets are filled", where=str(path), got=", ".join(filled), remedy="Name one of them 'cases'"
        )
    lines = filled[named[0]] if named else next(iter(filled.values()), [])
    return [(i, _trimmed(line)) for i, line in enumerate(lines, 1)]


def _trimmed(line: list[str]) -> list[str]:
    while line and not line[-1]:
        line = line[:-1]
    return line


def _parquet(path: Path) -> Any:
    import pandas

    try:
        return pandas.read_parquet(path)
    except ImportError as error:
        raise UnreadableError(
            "Parquet needs the package pyarrow", where=str(path), remedy="Run: pip install pyarrow, or save it as CSV"
        ) from error
    except Exception as error:  # pyarrow has an error tree of its own, which may not be installed
        raise UnreadableError("not a Parquet table", where=str(path), got=str(error).split("\n")[0][:160]) from error


def _table(path: Path, lines: Sequence[tuple[int, list[str]]]) -> Table:
    lines = [line for line in lines if any(line[1])]
    if not lines:
        raise TableError("the table is empty", where=str(path))
    columns = lines[0][1]
    _check_header(path, columns)
    padded = path.suffix.lower() == ".xlsx"
    return Table(path, tuple(filter(None, columns)), tuple(_rows(path, columns, lines[1:], padded)))


def _check_header(path: Path, columns: Sequence[str]) -> None:
    doubled = sorted({c for c in columns if c and columns.count(c) > 1})
    if doubled:
        raise TableError("two columns have one name", where=str(path), got=", ".join(doubled))


def _rows(
    path: Path, columns: Sequence[str], lines: Iterable[tuple[int, list[str]]], padded: bool
) -> Iterable[Row]:
    for number, cells in lines:
        if padded:
            cells = cells + [""] * (len(columns) - len(cells))
        if len(cells) != len(columns):
            raise TableError(
                f"row {number} does not fit the header", where=str(path), got=f"{len(cells)} cells",
                wanted=str(len(columns)), remedy="Quote cells that hold the delimiter",
            )
        yield Row(number, {c: v for c, v in zip(columns, cells, strict=True) if c})
