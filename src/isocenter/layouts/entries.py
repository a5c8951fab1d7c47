"""Units as entries of a manifest: files located, facts and notes read, images opened when asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path

from isocenter import io
from isocenter.data import Case, Entry, Fact, Finding, Image
from isocenter.errors import TableError
from isocenter.layouts.binding import Bound
from isocenter.layouts.cells import located, number
from isocenter.layouts.films import LINES, Films
from isocenter.layouts.modality import with_modality
from isocenter.layouts.numbers import Numbers
from isocenter.layouts.pairs import Pairs
from isocenter.layouts.rows import Maker, Unit
from isocenter.layouts.stacking import stacked
from isocenter.layouts.truths import Classes, Reader, given


@dataclass(frozen=True)
class Opener:
    """Makes entries of units, and cases of entries.

    Parameters
    ----------
    maker
        Knows the table and which columns are images, subject, group and split.
    bound
        Knows the truth.
    facts
        Columns that a method may use.
    """

    maker: Maker
    bound: Bound
    facts: Sequence[str] = ()

    @property
    def base(self) -> Path:
        """The folder that cells are relative to."""
        return self.maker.table.base

    def entry(self, unit: Unit) -> Entry:
        """The manifest's line of a unit."""
        files = {role: located(self.base, cells[0]) for role, cells in unit.images.items()}
        labels: tuple[str, ...] = ()
        if isinstance(self.bound.reader, Classes):
            labels = self.bound.reader.names_in(unit.truth, f"row {unit.rows[0].number}")
        elif unit.truth and not isinstance(self.bound.reader, Numbers):
            files["truth"] = located(self.base, unit.truth)
        return Entry(
            unit.id, partial(self.case, unit), unit.subject, unit.group, unit.split, files, labels, self.notes(unit),
            tuple(row.cells for row in unit.rows), self.bound.reader is not None and not unit.truth,
        )

    def case(self, unit: Unit) -> Case:
        """The case of a unit; image headers are read now."""
        images = {role: with_modality(self._image(cells), role) for role, cells in unit.images.items()}
        if self.maker.declared.columns.get("time"):
            images = {role: image if "t" not in image.axes else self._timed(image, unit)
                      for role, image in images.items()}
        facts = {name: _fact(unit.cell(name)) for name in self.facts}
        case = Case(
            unit.id, images, unit.lead, unit.subject, unit.group, unit.split, facts, self.notes(unit),
            self._truth(unit, images),
        )
        reader = self._reader(unit, images)
        if reader is None:
            return case
        return replace(case, load_given=given(reader, case, base=self.base, cell=partial(self._cell, unit)))

    def notes(self, unit: Unit) -> dict[str, str]:
        """Every column that is neither an image, nor the bound truth, nor subject, group or split."""
        m = self.maker
        used = {*m.images.values(), self.bound.truth.column, m.subject, m.group, m.split}
        return {c: unit.cell(c) for c in m.table.columns if c not in used}

    def _cell(self, unit: Unit, column: str) -> str | None:
        """A cell of the unit; of a film those of all its rows, one a line. None where there is no such column."""
        if column not in self.maker.table.columns:
            return None
        if not isinstance(self.bound.reader, Films):
            return unit.cell(column)
        return LINES.join(row[column] for row in unit.rows) if any(row[column] for row in unit.rows) else ""

    def _image(self, cells: Sequence[str]) -> Image:
        images = [io.read_image(located(self.base, cell)) for cell in cells]
        return images[0] if len(images) == 1 else stacked(images, "t")

    def _timed(self, image: Image, unit: Unit) -> Image:
        """The film with the seconds that its rows state; TableError where they do not fit or do not rise."""
        column = self.maker.declared.columns["time"]
        if len(unit.rows) == 1:
            return image
        seconds = [number(row[column]) for row in unit.rows]
        times = tuple(float(s) for s in seconds if s is not None)
        if len(times) != image.length("t") or any(b <= a for a, b in pairwise(times)):
            raise TableError("the times of a film's frames do not rise", where=self.maker.table.path.name,
                             got=f"{column} {', '.join(row[column] for row in unit.rows[:4])}", wanted="rising seconds")
        return image.replaced(image.load, times=times)

    def _reader(self, unit: Unit, images: Mapping[str, Image]) -> Reader | None:
        reader = self.bound.reader
        if isinstance(reader, Films):
            frame = self.maker.declared.columns.get("frame")
            return reader.about([row[frame] for row in unit.rows] if frame else [])
        if not isinstance(reader, Pairs):
            return reader
        return reader.of(images, unit.cell(reader.sibling) if reader.sibling else "")

    def _truth(self, unit: Unit, images: Mapping[str, Image]) -> Callable[[], Finding] | None:
        reader, image = self._reader(unit, images), images[unit.lead]
        if isinstance(reader, Classes):
            return partial(reader.truth, unit.truth, unit.id)
        if isinstance(reader, Numbers):
            return partial(reader.of, unit.truth, unit.id) if unit.truth else None
        if isinstance(reader, Films) and unit.truth:
            told = self._cell(unit, self.bound.truth.column) or ""
            return partial(reader.cell, self.base, told, image)
        return None if reader is None or not unit.truth else partial(reader.cell, self.base, unit.truth, image)


def _fact(text: str) -> Fact:
    value = number(text)
    return (text or None) if value is None else value
