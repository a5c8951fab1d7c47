"""Rows become units: one row one case, or rows joined by a column of cases, or by the frames of a film."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import PurePosixPath

from isocenter.errors import AmbiguousError, NotFoundError, TableError, nearest
from isocenter.layouts import columns
from isocenter.layouts.ask import Ask, Notes
from isocenter.layouts.cases_json import Declared, Truth
from isocenter.layouts.cells import canonical, identity, order
from isocenter.layouts.joining import differing
from isocenter.layouts.table_files import Row, Table

# Questions about one frame; all others take the film.
STILL = ("segment", "classify", "regress", "retrieve", "instances", "detect")
# The role asked for where cases need not share one, and the questions that are about no image's grid.
ANY, WHOLE = "any", ("classify", "regress")


@dataclass(frozen=True)
class Unit:
    """What becomes one case.

    Parameters
    ----------
    id
        From the leading image's path, or the value of the column of cases.
    images
        Role to cells; several cells are the frames of a film, in order.
    rows
        All rows of it.
    lead
        The role that methods for one image take.
    truth
        The cell of the truth, or "".
    """

    id: str
    images: Mapping[str, tuple[str, ...]]
    rows: tuple[Row, ...]
    lead: str
    subject: str = ""
    group: str = ""
    split: str = ""
    truth: str = ""

    def cell(self, column: str) -> str:
        """The value of a column: the one on which the rows agree, else that of the leading image's row."""
        if len(differing(self.rows, column)) <= 1:
            return next((r[column] for r in self.rows if r[column]), "")
        joined = len(self.images) == len(self.rows) > 1
        return (dict(zip(self.images, self.rows, strict=True))[self.lead] if joined else self.rows[0])[column]


@dataclass(frozen=True)
class Maker:
    """Makes units from a table; all column names resolved once."""

    table: Table
    images: Mapping[str, str]
    declared: Declared
    ask: Ask
    truth: Truth
    subject: str | None
    group: str | None
    split: str | None

    @classmethod
    def of(cls, table: Table, declared: Declared, ask: Ask, truth: Truth) -> Maker:
        """Resolves the columns; raises as `columns.images` and `columns.column_of`."""
        for key in ("case", "role", "frame", "time"):
            if key in declared.columns:
                table.require(declared.columns[key], key)
        subject, group, split = (
            columns.column_of(table, declared, name, said)
            for name, said in (("subject", None), ("group", ask.group), ("split", None))
        )
        return cls(table, columns.images(table, ask.task), declared, ask, truth, subject, group, split)

    def units(self, notes: Notes) -> tuple[Unit, ...]:
        """The units in the table's order; rows without an image are counted and left out.

        Raises
        ------
        TableError
            Joined rows disagree, or a role or frame stands twice.
        AmbiguousError
            The truth differs between roles, or several roles could lead, and nobody said which.
        NotFoundError
            The role asked for is not there (names the nearest).
        """
        rows: list[Row] = []
        for row in self.table.rows:
            if any(row[c] for c in self.images.values()):
                rows.append(row)
            else:
                notes.leave_rows("no image", [row.cells])
        case, frame = self.declared.columns.get("case"), self.declared.columns.get("frame")
        if case:
            units = self._by_role(_gathered(rows, case), notes)
        elif frame and self.ask.task not in STILL:
            units = [self._film(list(part), frame) for part in self._films(rows)]
        else:
            if frame:
                notes.note("frames-apart", f"each frame is a case of its own, because {self.ask.task} is asked of one")
            units = self._by_row(rows, notes)
        return tuple(_unique(units, self.table, notes))

    def _by_row(self, rows: Sequence[Row], notes: Notes) -> list[Unit]:
        role_column = self.declared.columns.get("role")
        units = []
        for row in rows:
            images = {role: (row[c],) for role, c in self.images.items() if row[c]}
            lead = next(iter(images))
            if role_column:
                images, lead = {row[role_column]: images[lead]}, row[role_column]
            if self.ask.role and self.ask.role not in images:
                notes.leave_rows(f"no image {self.ask.role!r}", [row.cells])
                continue
            lead = self.ask.role or lead
            name = identity(self.table.base, images[lead][0])
            units.append(self._unit(name, images, [row], lead, self._truth_of(row)))
        if rows and not units:
            known = {r[role_column] for r in rows} if role_column else set(self.images)
            raise self._no_role(self.ask.role or "", known)
        return units

    def _no_role(self, role: str, known: Iterable[str]) -> NotFoundError:
        return NotFoundError(f"no image {role!r}", where=self.table.path.name, remedy=nearest(role, known))

    def _by_role(self, cases: Mapping[str, list[Row]], notes: Notes) -> list[Unit]:
        column = self.declared.columns.get("role")
        gathered = {name: self._roles(name, rows, column) for name, rows in cases.items()}
        lead = self._leading(gathered)
        units = []
        free = self._any(gathered)
        for name, roles in gathered.items():
            own = lead if lead in roles or not free else next(iter(roles))
            if own not in roles:
                notes.leave_out(f"no image {lead!r}")
                notes.left += [row.cells for row in roles.values()]
                continue
            images = {role: (row[self._image],) for role, row in roles.items()}
            truth = self._truth_cell(name, roles, "" if free else own)
            units.append(self._unit(name, images, list(roles.values()), own, truth))
        return units

    def _any(self, gathered: Mapping[str, Mapping[str, Row]]) -> bool:
        """Whether cases may lack the leading image: for methods of several, asked as a whole."""
        known = {role for roles in gathered.values() for role in roles}
        return self.ask.role == ANY and ANY not in known and self.ask.task in WHOLE

    @property
    def _image(self) -> str:
        return next(iter(self.images.values()))

    def _roles(self, name: str, rows: Sequence[Row], column: str | None) -> dict[str, Row]:
        if column is None and len(rows) > 1:
            raise TableError(
                f"{len(rows)} rows are one case {name!r} and nothing names the image in each",
                where=self.table.path.name, remedy='Say "role": COLUMN in cases.json',
            )
        roles: dict[str, Row] = {}
        for row in rows:
            role = row[column] if column else next(iter(self.images))
            if not role or role in roles:
                problem = f"stands twice, in rows {roles[role].number} and {row.number}" if role else "is empty"
                raise TableError(f"role {role!r} of case {name!r} {problem}", where=self.table.path.name)
            roles[role] = row
        return roles

    def _leading(self, gathered: Mapping[str, Mapping[str, Row]]) -> str:
        known = list(dict.fromkeys(role for roles in gathered.values() for role in roles))
        if self._any(gathered):
            # The role of most cases; the first of those that are as common.
            return max(known, key=lambda role: sum(role in roles for roles in gathered.values()))
        said = self.ask.role or self.truth.role
        if said:
            if said not in known:
                raise self._no_role(said, known)
            return said
        everywhere = [r for r in known if all(r in roles for roles in gathered.values())] or known
        if len(everywhere) > 1 and self.ask.task:
            more = ", or --role any for a method of several" if self.ask.task in WHOLE else ""
            raise AmbiguousError(
                "several images could be the one that a method takes", where=self.table.path.name,
                got=" and ".join(everywhere), remedy=f"Say which: --role {everywhere[0]}{more}",
            )
        return everywhere[0]

    def _truth_cell(self, name: str, roles: Mapping[str, Row], lead: str) -> str:
        column = self.truth.column
        if not column:
            return ""
        found, said = differing(list(roles.values()), column), lead and (self.ask.role or self.truth.role)
        if len(found) > 1 and not said:
            raise AmbiguousError(
                f"the truth {column!r} of case {name!r} differs between {', '.join(roles)}",
                where=self.table.path.name, got=" and ".join(found[:3]),
                remedy=f"Say which: --role {lead or next(iter(roles))}",
            )
        return roles[lead][column] if said else next(iter(found), "")

    def _films(self, rows: Sequence[Row]) -> list[list[Row]]:
        parts: dict[tuple[str, str], list[Row]] = {}
        for row in rows:
            who = row[self.subject] if self.subject else ""
            parts.setdefault((who, row[self.split] if self.split else ""), []).append(row)
        return list(parts.values())

    def _film(self, rows: list[Row], frame: str) -> Unit:
        rows.sort(key=lambda row: order(row[frame]))
        for a, b in pairwise(rows):
            if canonical(a[frame]) == canonical(b[frame]):
                what = f"rows {a.number} and {b.number} are one frame of one film"
                raise TableError(what, where=self.table.path.name, got=f"{frame} {a[frame]}")
        cells = tuple(row[self._image] for row in rows)
        first, last = (identity(self.table.base, c) for c in (cells[0], cells[-1]))
        name = first if len(cells) == 1 else f"{first}..{PurePosixPath(last).name}"
        role = next(iter(self.images))
        return self._unit(name, {role: cells}, rows, role, self._truth_of(rows[0]))

    def _truth_of(self, row: Row) -> str:
        return row[self.truth.column] if self.truth.column else ""

    def _unit(
        self, name: str, images: Mapping[str, tuple[str, ...]], rows: list[Row], lead: str, truth: str
    ) -> Unit:
        said = {}
        for what, column in (("subject", self.subject), ("group", self.group), ("split", self.split)):
            values = list(dict.fromkeys(row[column] for row in rows)) if column else [""]
            if len(values) > 1:
                raise TableError(
                    f"the rows of case {name!r} disagree on {column!r}", where=self.table.path.name,
                    got=f"{' and '.join(map(repr, values))} in rows {', '.join(str(r.number) for r in rows)}",
                    wanted="one value",
                )
            said[what] = values[0]
        group = said["group"] or said["subject"]
        return Unit(name, images, tuple(rows), lead, said["subject"], group, said["split"], truth)


def _gathered(rows: Sequence[Row], column: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        # A row without a case is one of its own.
        found.setdefault(row[column] or f"row{row.number}", []).append(row)
    return found


def _unique(units: Sequence[Unit], table: Table, notes: Notes) -> list[Unit]:
    units = _named_apart(units, lambda unit: unit.images[unit.lead][0])
    # Pairs with one image in common differ in the other.
    units = _named_apart(units, lambda unit: "+".join(cell for cells in unit.images.values() for cell in cells[:1]))
    seen: dict[str, int] = {}
    again = []
    for i, unit in enumerate(units):
        seen[unit.id] = seen.get(unit.id, 0) + 1
        if seen[unit.id] > 1:
            again.append(unit.rows[0].number)
            units[i] = replace(unit, id=f"{unit.id}#{seen[unit.id]}")
    if again:
        notes.warn(
            "image-twice", f"{len(again)} rows name an image that an earlier row names", where=table.path.name,
            got=f"rows {', '.join(map(str, again[:5]))}{' ...' if len(again) > 5 else ''}",
            remedy='Remove them, or join them with "case" and "role" in cases.json',
        )
    return units


def _named_apart(units: Sequence[Unit], name: Callable[[Unit], str]) -> list[Unit]:
    counts = Counter(unit.id for unit in units)
    return [replace(unit, id=name(unit)) if counts[unit.id] > 1 else unit for unit in units]
