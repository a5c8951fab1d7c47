"""What the layouts without a table share: entries of one image each, truth from a mask or a class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from isocenter.data import Case, Cases, Entry, Finding, Image, Problem
from isocenter.errors import NotFoundError, TableError, UsageError, nearest
from isocenter.layouts import cases_json
from isocenter.layouts.ask import Ask, Notes
from isocenter.layouts.binding import positive_named
from isocenter.layouts.cases_json import Declared, Truth
from isocenter.layouts.cells import suffix
from isocenter.layouts.objects import Objects
from isocenter.layouts.objects import reader as reader_of_objects
from isocenter.layouts.regions import Regions
from isocenter.layouts.truths import Classes, Masks, Reader, given


@dataclass(frozen=True)
class Item:
    """One case of a convention.

    Parameters
    ----------
    id, subject, group, split, notes
        As in `Case`.
    image
        Opens the image, header only.
    path
        Of the image (the first, where several files make it).
    label
        Path of the label file, or the class, or "".
    """

    id: str
    image: Callable[[], Image]
    path: str
    label: str = ""
    split: str = ""
    subject: str = ""
    group: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)


def assembled(
    items: Sequence[Item],
    ask: Ask,
    *,
    root: Path,
    tasks: Sequence[str],
    reader: Callable[[], Reader] | None,
    notes: Notes,
) -> Cases:
    """The cases of a convention.

    Parameters
    ----------
    items
        In order.
    root
        The folder or file, for messages and the name.
    tasks
        Tasks for which the convention brings a truth.
    reader
        Makes the reader of labels, when a task is asked.

    Raises
    ------
    UsageError
        A word of the caller that only tables understand.
    TableError
        The convention brings no truth for the asked task, or there is no case.
    NotFoundError
        A group column that is no note.
    """
    _refuse_words(ask, root)
    if ask.task and (ask.task not in tasks or reader is None):
        raise TableError(
            f"no truth for {ask.task}", where=str(root), got=f"truth for {', '.join(tasks) or 'no task'}",
            remedy="Write a table of cases with a column of the truth",
        )
    bound = reader() if ask.task and reader else None
    if bound is not None:
        notes.leave_out("no truth", n) if (n := sum(not item.label for item in items)) else None
        items = [item for item in items if item.label]
    if not items:
        raise TableError("no case", where=str(root), got=", ".join(f"{n} {why}" for why, n in notes.unused.items()))
    if ask.group:
        items = [_grouped(item, ask.group, root) for item in items]
    entries = tuple(_entry(item, bound) for item in _distinct(items))
    unknown = sum(not (e.subject or e.group) for e in entries)
    if unknown and len(entries) > 1:
        notes.problems.append(unknown_patients(unknown, len(entries), root.name))
    cases = Cases(
        entries, root.name or "data", ask.task or "", problems=tuple(notes.problems), unused=dict(notes.unused),
        tasks=tuple(tasks),
    )
    return _with_reader(cases, bound, ask, root)


def unknown_patients(unknown: int, n: int, where: str) -> Problem:
    """The note that some cases name no subject."""
    return Problem(
        "patients-unknown", "note", f"patients unknown: {unknown} of {n} cases have no subject", where, "", "",
        "Each counts as a subject of its own; a table with a column 'subject' keeps a patient on one side",
    )


def _distinct(items: Sequence[Item]) -> list[Item]:
    """Ids that differ even where two files differ in their suffix alone."""
    counts: dict[str, int] = {}
    for item in items:
        counts[item.id] = counts.get(item.id, 0) + 1
    return [item if counts[item.id] == 1 else replace(item, id=item.id + suffix(item.path)) for item in items]


def _with_reader(cases: Cases, reader: Reader | None, ask: Ask, root: Path) -> Cases:
    if isinstance(reader, Masks):
        return replace(cases, classes=reader.regions.classes, codes=reader.regions.codes)
    if isinstance(reader, Objects):
        return replace(cases, classes=reader.names)
    if isinstance(reader, Classes):
        positive = None if reader.multilabel else positive_named(reader.names, ask.positive, None, root.name)
        return replace(cases, classes=reader.names, positive=positive, multilabel=reader.multilabel)
    return cases


def _refuse_words(ask: Ask, root: Path) -> None:
    said = {"--target": ask.target, "--facts": ask.facts, "--role": ask.role}
    if wrong := [k for k, v in said.items() if v]:
        raise UsageError(f"{' and '.join(wrong)} names a column, and these data have no table", where=str(root))


def _grouped(item: Item, column: str, root: Path) -> Item:
    if column not in item.notes:
        raise NotFoundError(f"no group {column!r}", where=str(root), remedy=nearest(column, item.notes))
    return replace(item, group=item.notes[column])


def _entry(item: Item, reader: Reader | None) -> Entry:
    files = {"image": item.path}
    labels: tuple[str, ...] = ()
    if isinstance(reader, Classes):
        labels = reader.names_in(item.label, item.id)
    elif item.label and reader is not None:
        files["truth"] = item.label
    return Entry(
        item.id, partial(_case, item, reader), item.subject, item.group or item.subject, item.split, files, labels,
        item.notes,
    )


def _case(item: Item, reader: Reader | None) -> Case:
    image = item.image()
    case = Case(
        item.id, {"image": image}, "image", item.subject, item.group or item.subject, item.split, {}, item.notes,
        _truth(item, reader, image),
    )
    if reader is None:
        return case
    return replace(case, load_given=given(reader, case, base=Path(item.path).parent, cell=item.notes.get))


def _truth(item: Item, reader: Reader | None, image: Image) -> Callable[[], Finding] | None:
    if reader is None or not item.label:
        return None
    if isinstance(reader, Classes):
        return partial(reader.truth, item.label, item.id)
    return partial(reader.read, item.label, image)


def masks_of(labels: Mapping[str, Sequence[str]], where: str) -> Callable[[], Reader]:
    """The maker of a reader for declared label numbers."""
    return lambda: Masks(Regions.declared(labels, where))


def objects_of(items: Sequence[Item], ask: Ask, *, where: Path, notes: Notes) -> Callable[[], Objects]:
    """The maker of a reader for annotation files, which are looked at once; raises as `objects.reader`.

    What a ``cases.json`` in the folder says of the task's classes and of useless objects holds.
    """
    pairs = [(item.label, item.path) for item in items if item.label]
    truth = declared_beside(where).truth.get(ask.task or "", Truth())
    return lambda: reader_of_objects(pairs, truth, task=ask.task or "", where=str(where), notes=notes)


def declared_beside(where: Path) -> Declared:
    """The ``cases.json`` of a folder without a table; all empty where there is none.

    Raises
    ------
    UnreadableError, TableError
        As `cases_json.read`; it names columns or tables.
    """
    file = where / cases_json.NAME
    if not file.is_file():
        return Declared()
    said = cases_json.read(file)
    if names := sorted({said.table, *said.named()} - {""}):
        raise TableError(
            "cases.json names columns or tables, and these data have no table", where=str(file), got=", ".join(names),
            remedy="Leave labels and invalid in it, or write a table of cases",
        )
    return said
