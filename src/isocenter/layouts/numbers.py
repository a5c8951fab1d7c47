"""The truth of regress: a number in a cell, or in a file of its own."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isocenter.data import Image, Values
from isocenter.errors import LabelError, UnreadableError
from isocenter.layouts.ask import Notes
from isocenter.layouts.cells import number
from isocenter.layouts.rows import Unit
from isocenter.layouts.table_files import Table


@dataclass(frozen=True)
class Numbers:
    """Reads the numbers of one set.

    Parameters
    ----------
    name
        Of what is measured: the column's.
    unit
        Such as ``"years"``; "" when nobody says.
    """

    name: str
    unit: str = ""
    suffixes: tuple[str, ...] = (".json", ".txt")

    def of(self, text: str, where: str) -> Values:
        """The number that a text says; LabelError where it is no finite number."""
        value = number(text)
        if value is None or not math.isfinite(value):
            raise LabelError(f"no number of {self.name}", where=where, got=repr(text), wanted="a number such as 63.5")
        return Values.truth(self.name, value, self.unit)

    def cell(self, base: Path, text: str, image: Image) -> Values:
        """What a cell says about an image."""
        return self.of(text, image.name)

    def read(self, path: str, image: Image) -> Values:
        """A text file that holds a number, or a JSON file as predictions are written, or of name to number.

        Raises
        ------
        UnreadableError
            Not text, or not JSON.
        LabelError
            No number of this name.
        """
        try:
            text = Path(path).read_text(encoding="utf-8-sig").strip()
            held = json.loads(text) if path.endswith(".json") else text
        except (OSError, ValueError, RecursionError) as error:
            raise UnreadableError("not an answer", where=path, got=str(error).split("\n")[0]) from error
        return self.of(str(_named(held, self.name)), path)


def _named(held: Any, name: str) -> Any:
    """What a document says of a name: ``{"items": [{"name", "value"}]}``, ``{NAME: number}``, or the number itself."""
    if not isinstance(held, dict):
        return held
    items = held.get("items")
    if isinstance(items, list):
        held = {i.get("name"): i.get("value") for i in items if isinstance(i, dict)}
    return held.get(name, "")


def checked(units: Sequence[Unit], table: Table, reader: Numbers, notes: Notes) -> list[Unit]:
    """The units whose cell of truth is a number, or empty.

    Raises
    ------
    LabelError
        Text where a number belongs; names the row and what it holds.
    """
    kept = []
    for unit in units:
        value = number(unit.truth)
        if unit.truth and (value is None or not math.isfinite(value)):
            notes.refuse(LabelError(
                f"row {unit.rows[0].number} holds no number in column {reader.name!r}", where=str(table.path),
                got=repr(unit.truth), wanted="a number such as 63.5",
                remedy="Correct the cell, empty it, which leaves the row out, or name another column: --target COLUMN",
            ))
            notes.leave_rows("no number where one belongs", [row.cells for row in unit.rows])
            continue
        kept.append(unit)
    return kept
