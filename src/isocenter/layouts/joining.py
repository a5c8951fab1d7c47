"""Tables joined on a column: one row keeps one row, columns that both have must agree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from isocenter.errors import TableError
from isocenter.layouts import table_files
from isocenter.layouts.ask import Notes
from isocenter.layouts.cells import canonical
from isocenter.layouts.table_files import Row, Table


def joined(table: Table, others: Sequence[tuple[str, str]], notes: Notes) -> Table:
    """The table with the columns of other tables beside its own.

    Parameters
    ----------
    table
        Whose rows are kept, all of them and in their order.
    others
        (file beside the table, column to join on) of each.

    Raises
    ------
    TableError
        A table or column that is not there, two rows for one key that differ, or a column that disagrees.
    """
    for name, on in others:
        table = _join(table, table_files.read(table.base / name), on, notes)
    return table


def _join(table: Table, other: Table, on: str, notes: Notes) -> Table:
    table.require(on, f"joined to {other.path.name}")
    other.require(on, "joined")
    by_key: dict[str, Row] = {}
    for row in other.rows:
        first = by_key.setdefault(row[on], row)
        if dict(first.cells) != dict(row.cells):
            raise TableError(
                f"rows {first.number} and {row.number} share {on} = {row[on]!r} and differ", where=str(other.path)
            )
    rows = tuple(_row(table, row, other, by_key.get(row[on]), on) for row in table.rows)
    _report(table, other, on, by_key, notes)
    columns = (*table.columns, *(c for c in other.columns if c not in table.columns))
    return replace(table, columns=columns, rows=rows)


def _row(table: Table, row: Row, other: Table, match: Row | None, on: str) -> Row:
    if match is None:
        return row
    cells = dict(row.cells)
    for column in other.columns:
        mine, theirs = cells.get(column, ""), match[column]
        # An empty cell says nothing, so it contradicts nothing.
        if mine and theirs and canonical(mine) != canonical(theirs):
            raise TableError(
                f"column {column!r} disagrees between {table.path.name} row {row.number} and {other.path.name} "
                f"row {match.number}", where=str(table.base), got=f"{mine} and {theirs}", wanted="one value",
                remedy="Correct one of them, or rename the column",
            )
        cells[column] = mine or theirs
    return Row(row.number, cells)


def _report(table: Table, other: Table, on: str, by_key: dict[str, Row], notes: Notes) -> None:
    mine = {row[on] for row in table.rows}
    alone = [row.number for row in table.rows if row[on] not in by_key]
    for code, count, text in (
        ("join-alone", len(alone), f"rows of {table.path.name} have no match in {other.path.name}"),
        ("join-spare", len(set(by_key) - mine), f"rows of {other.path.name} match nothing in {table.path.name}"),
    ):
        if count:
            notes.note(code, f"{count} {text} on {on!r}", where=str(table.base))


def differing(rows: Sequence[Row], column: str) -> list[str]:
    """The different values of a column, compared as numbers where both are numbers; empty cells left out."""
    return list(dict.fromkeys(_filled(rows, column)))


def _filled(rows: Sequence[Row], column: str) -> Iterator[str]:
    return (canonical(row[column]) for row in rows if row[column])
