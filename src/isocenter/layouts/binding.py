"""What the truth column of a table means for the asked task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from isocenter.data import OBJECT, positive_of
from isocenter.errors import LabelError, nearest
from isocenter.layouts import columns, films, numbers, objects, pairs, regions
from isocenter.layouts.ask import Ask, Notes
from isocenter.layouts.cases_json import Truth
from isocenter.layouts.cells import canonical, located, order
from isocenter.layouts.rows import Unit
from isocenter.layouts.table_files import Table
from isocenter.layouts.truths import Classes, Masks, Reader


@dataclass(frozen=True)
class Bound:
    """Units with the reader of their truth."""

    units: Sequence[Unit]
    truth: Truth
    reader: Reader | None = None
    classes: tuple[str, ...] = ()
    codes: Mapping[str, int] = field(default_factory=dict)
    positive: str | None = None
    multilabel: bool = False


def bind(units: Sequence[Unit], table: Table, truth: Truth, ask: Ask, *, notes: Notes, repair: bool) -> Bound:
    """The units with the reader of their truth; rows of the class `ignore` are left out.

    Parameters
    ----------
    units
        With a filled cell of truth each, where a task is asked; but for those that `Ask.keeps`.
    repair
        Whether the set allows labels to be put on their image's grid.

    Raises
    ------
    LabelError
        A class outside the declared set or text where a number belongs (names the row), or no class of that name for
        the positive one.
    """
    if ask.task == "segment":
        where = f"{table.path.name}, column {truth.column}"
        if truth.labels:
            found = regions.Regions.declared(truth.labels, where)
        else:
            found = regions.scanned((located(table.base, u.truth) for u in units if u.truth), where, notes)
        return Bound(units, truth, Masks(found, repair), found.classes, found.codes)
    if ask.task in columns.LABELLED:
        return _bind_classes(units, table, truth, ask, notes)
    if ask.task in columns.NUMBERED:
        read = numbers.Numbers(truth.column, truth.unit)
        return Bound(numbers.checked(units, table, read, notes), truth, read, (read.name,))
    if ask.task == "register":
        return _bind_pairs(units, table, truth, notes)
    if ask.task in objects.TASKS:
        return _bind_objects(units, table, truth, ask, notes=notes, repair=repair)
    if ask.task == "track":
        return Bound(units, truth, films.Films(repair), (OBJECT,))
    if ask.task:
        notes.note("truth-unread", f"the truth of {ask.task} is named but not read by this version", where=truth.column)
    return Bound(units, truth)


def _bind_objects(
    units: Sequence[Unit], table: Table, truth: Truth, ask: Ask, *, notes: Notes, repair: bool
) -> Bound:
    where = f"{table.path.name}, column {truth.column}"
    pairs = [(located(table.base, u.truth), located(table.base, u.images[u.lead][0])) for u in units]
    if ask.task == "instances" and truth.reads == "segment":
        notes.warn(
            "regions-as-objects", "the masks are declared as regions: each number is taken for one object", where=where,
            remedy="Bring a column 'instances' with one number an object, or ask for detect",
        )
    found = objects.reader(pairs, truth, task=ask.task or "", where=where, notes=notes, repair=repair)
    return Bound(units, truth, found, found.names)


def _bind_pairs(units: Sequence[Unit], table: Table, truth: Truth, notes: Notes) -> Bound:
    where = f"{table.path.name}, column {truth.column}"
    other = truth.column.replace(pairs.FIXED, pairs.MOVING)
    cells = [(u.truth, u.cell(other) if other in table.columns else "") for u in units if u.truth]
    sides = [tuple(located(table.base, c) if c else "" for c in pair) for pair in cells]
    found = pairs.reader(truth.column, table.columns, sides, truth.labels, where=where, notes=notes)
    classes, codes = (found.regions.classes, found.regions.codes) if found.regions else ((), {})
    return Bound(units, truth, found, classes, codes)


def _bind_classes(units: Sequence[Unit], table: Table, truth: Truth, ask: Ask, notes: Notes) -> Bound:
    several = _several(units, truth, table, notes)
    if truth.labels:
        meaning = {canonical(v): name for name, values in truth.labels.items() for v in values}
        for unit in units:
            if not set(parts(unit.truth, several)) <= set(meaning):
                notes.refuse(LabelError(
                    f"row {unit.rows[0].number} holds a class outside the declared set", where=str(table.path),
                    got=unit.truth, wanted=", ".join(meaning),
                ))
        left = [u for u in units if any(meaning.get(p, "ignore") == "ignore" for p in parts(u.truth, several))]
        notes.leave_rows("class to ignore", [row.cells for unit in left for row in unit.rows])
        units = [u for u in units if u not in left]
        names = tuple(n for n in truth.labels if n != "ignore")
        meaning = {text: name for text, name in meaning.items() if name != "ignore"}
    else:
        names = tuple(sorted({p for u in units for p in parts(u.truth, several)}, key=order))
        meaning = {n: n for n in names}
    if len(names) > max(20, len(units) // 2):
        what = f"column {truth.column!r} holds {len(names)} different values"
        notes.warn("many-classes", what, where=table.path.name, remedy="Is it a class at all?")
    if several:
        lead = positive_named(names, ask.positive, None, table.path.name) if ask.positive else None
        return Bound(units, truth, Classes(names, meaning, multilabel=True), names, {}, lead, multilabel=True)
    positive = positive_named(names, ask.positive, truth.positive, table.path.name)
    return Bound(units, truth, Classes(names, meaning, positive if len(names) == 2 else None), names, {}, positive)


def _several(units: Sequence[Unit], truth: Truth, table: Table, notes: Notes) -> bool:
    """Whether cells name several classes at once: declared, else where one holds a semicolon, and that is said."""
    if truth.multilabel is not None:
        return truth.multilabel
    first = next((u for u in units if ";" in u.truth), None)
    if first is not None:
        notes.note(
            "several-labels", f"column {truth.column!r} is read as several classes at once, a semicolon between them",
            where=table.path.name, got=f"row {first.rows[0].number} holds {first.truth!r}",
            remedy=f'Where that is one class, say "truth": {{"classify": {{"column": "{truth.column}", '
            '"multilabel": false}} in cases.json',
        )
    return first is not None


def parts(text: str, several: bool) -> tuple[str, ...]:
    """The classes that a cell names, in canonical text.

    >>> parts("oedema; 1.0", True), parts(";", True), parts("a;b", False)
    (('oedema', '1'), (), ('a;b',))
    """
    return tuple(canonical(p) for p in text.split(";") if p.strip()) if several else (canonical(text),)


def positive_named(names: Sequence[str], said: str | None, declared: str | None, where: str) -> str | None:
    """The positive class: the caller's word, else the set's, else the one that follows from the names.

    Raises
    ------
    LabelError
        The caller names no class of the set (the nearest is offered).
    """
    for value, theirs in ((said, True), (declared, False)):
        if value is not None:
            found = next((n for n in names if canonical(n) == canonical(value)), None)
            if found is not None:
                return found
            # What is declared for the truth of the set may not be a class of another column.
            if theirs:
                raise LabelError(f"no class {value!r}", where=where, remedy=nearest(value, names))
    return positive_of(names)
