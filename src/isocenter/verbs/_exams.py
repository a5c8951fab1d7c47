"""What stands on a command line as EXAM: labels with their images and dates, images to be searched, or a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from isocenter.data import OBJECT, Case, Image, Instances, NotEvaluated, Segmentation
from isocenter.errors import InputError, LabelError, NotFoundError, UsageError, nearest
from isocenter.inspect.following import Exam
from isocenter.verbs._cases import cases_of
from isocenter.verbs._dates import days_of
from isocenter.verbs._labels import Reading, is_data, of_one
from isocenter.verbs._method import resolve
from isocenter.verbs._options import Opening, opening_of

DATE = "date"
# Class names that say nothing of an organ.
PLAIN = (OBJECT, "foreground", "lesion", "lesions", "tumour", "tumor")


@dataclass(frozen=True, eq=False)
class Course:
    """The examinations of one subject in order of time.

    Parameters
    ----------
    subject
        Identifier, or "".
    exams
        The baseline first.
    notes
        What was assumed of their order.
    identifiers
        Names of files and cases.
    """

    subject: str
    exams: tuple[Exam, ...]
    notes: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asked:
    """How examinations are read.

    Parameters
    ----------
    images, dates
        One an examination; None: none are given.
    find
        What finds the lesions where examinations are images: a bundle, TASK/METHOD or an object.
    names
        Number to class of label maps.
    whole
        Each number of a label map is one lesion; else each connected part of it.
    date
        Of a table, the column that holds the dates.
    options
        As in `isocenter.verbs._options.Opening`.
    """

    images: Sequence[Any] | None
    dates: Sequence[str] | None
    find: Any
    names: Mapping[int, str] | None
    whole: bool
    date: str
    options: Opening


def courses(exams: Any, asked: Asked) -> tuple[Course, ...]:
    """The examinations of each subject.

    Raises
    ------
    UsageError
        Fewer than two examinations, dates or images that do not fit them, dates that leave the order open, or images
        of several patients.
    InputError
        As reading.
    """
    given = list(exams) if isinstance(exams, list | tuple) else [exams]
    if len(given) == 1 and is_data(given[0]):
        if asked.images or asked.dates or asked.find is not None:
            raise UsageError("a table brings its own images, dates and labels", got=str(given[0]),
                             remedy="Leave out --images, --dates and --find, or name the label files")
        return tuple(_of_table(given[0], asked))
    if len(given) < 2:
        raise UsageError("one examination has nothing to be followed to", got=str(given[0])[:200],
                         wanted="BASELINE FOLLOWUP ..., or a table with the columns subject, date, image, mask",
                         remedy="Name the later ones too; for the sizes of one: isocenter measure LABELS IMAGE")
    for what, some in (("images", asked.images), ("dates", asked.dates)):
        if some is not None and len(some) != len(given):
            raise UsageError(f"examinations and {what} differ in number", got=f"{len(given)} and {len(some)}",
                             wanted=f"one of the --{what} for each examination, in the same order")
    read = [_exam(one, None if asked.images is None else asked.images[i], asked) for i, one in enumerate(given)]
    _one_patient(read)
    paths = tuple(str(p) for p in (*given, *(asked.images or ())) if isinstance(p, str | Path))
    return (_ordered("", read, asked.dates or (), "", paths),)


def _exam(one: Any, image: Any, asked: Asked) -> Exam:
    if asked.find is not None:
        return _searched(one, asked)
    reading = Reading(asked.names, not asked.whole, opening_of(asked.options))
    try:
        found = list(of_one(one, image, reading))
    except LabelError as error:
        raise LabelError(error.what, where=error.where, got=error.got, wanted="the labels of lesions, whole numbers",
                         remedy="Images go with --images, in the same order; --find METHOD finds lesions in them; a "
                         "soft map needs a threshold first") from error
    if len(found) != 1:
        raise InputError("a film where one examination was needed", where=str(one)[:200], got=f"{len(found)} frames",
                         remedy="Name the labels of each examination")
    return Exam(found[0].name, _classes(found[0].found, asked.names is not None), found[0].image)


def _searched(one: Any, asked: Asked) -> Exam:
    """The lesions that a method finds in an image."""
    from isocenter.verbs.predict import case_of

    case = case_of(one, how=opening_of(asked.options))
    method = resolve(asked.find)
    if not method.answers:
        raise UsageError(f"{method.name} must be trained first", remedy="Name a bundle with --find")
    return _answered(case, method.object.predict(case), asked)


def _answered(case: Case, found: Any, asked: Asked) -> Exam:
    if isinstance(found, NotEvaluated):
        raise InputError(f"no lesions could be found: {found.line()}", where=case.id)
    if not isinstance(found, Segmentation | Instances):
        raise InputError("lesions are regions or objects", where=case.id, got=type(found).__name__,
                         wanted="label maps or objects", remedy="Name masks, or a bundle that segments")
    reading = Reading(asked.names, not asked.whole, {})
    [label] = list(of_one(found, None, reading))
    return Exam(case.id, _classes(label.found, True), case.image() if case.images else None)


def _classes(found: Instances, named: bool) -> Instances:
    """Numbers that nobody named are no classes: one lesion has another number at another time."""
    if named or len(found.classes) < 2:
        return found
    return replace(found, labels=np.zeros(len(found), np.int64), classes=(OBJECT,))


def _of_table(data: Any, asked: Asked) -> Iterator[Course]:
    cases = cases_of(data, _task(data), options=asked.options)
    known = list(dict.fromkeys(k for e in cases.entries for k in e.notes))
    dated = asked.date in known
    if not dated and asked.date != DATE:
        raise NotFoundError(f"no column {asked.date!r}", where=cases.name, remedy=nearest(asked.date, known))
    if not any(e.subject for e in cases.entries):
        raise UsageError("the table does not say whose examinations these are", where=cases.name,
                         wanted="a column subject", remedy="Add it, or name the label files of one subject")
    groups: dict[str, list[Any]] = {}
    for entry in cases.entries:
        groups.setdefault(entry.subject, []).append(entry)
    alone = [s for s, entries in groups.items() if len(entries) < 2]
    if len(alone) == len(groups):
        raise UsageError("no subject has two examinations", where=cases.name, got=f"{len(groups)} subjects",
                         wanted="at least two rows of one subject")
    for subject, entries in groups.items():
        if subject not in alone:
            exams = [_of_entry(e, asked) for e in entries]
            dates = [str(e.notes.get(asked.date, "")) for e in entries] if dated else []
            names = tuple(n for e in entries for n in (e.id, *e.files.values()) if n)
            yield _ordered(subject, exams, dates, cases.name, names)


def _task(data: Any) -> str:
    from isocenter.data import Cases
    from isocenter.layouts import read

    tasks = data.tasks if isinstance(data, Cases) else read(data).tasks
    return next((t for t in ("instances", "segment") if t in tasks), "segment")


def _of_entry(entry: Any, asked: Asked) -> Exam:
    case = entry.open()
    found = case.truth()
    if found is None:
        raise InputError("an examination without labels", where=entry.id, wanted="a mask, which may be empty",
                         remedy="Fill the column mask, or leave the row out")
    return replace(_answered(case, found, asked), name=entry.id)


def _ordered(subject: str, exams: Sequence[Exam], dates: Sequence[str], where: str, names: tuple[str, ...]) -> Course:
    found = days_of(dates, where=where) if dates else None
    if found is None:
        note = "no dates are known: the examinations are taken in the order given, and no rates are told"
        return Course(subject, tuple(exams), (note,), names)
    days, order = found
    notes = () if list(order) == sorted(order) else ("the examinations were put in the order of their dates",)
    return Course(subject, tuple(replace(exams[i], day=d) for i, d in zip(order, days, strict=True)), notes, names)


def _one_patient(exams: Sequence[Exam]) -> None:
    """UsageError where DICOM files say that they are of several patients."""
    seen = {p for e in exams if e.image is not None and (p := _patient(e.image))}
    if len(seen) > 1:
        raise UsageError("the images belong to different patients", got=f"{len(seen)} patients",
                         wanted="examinations of one subject", remedy="Follow each by itself, or make a table with a "
                         "column subject")


def _patient(image: Image) -> str:
    if image.source.format != "dicom" or not image.source.files:
        return ""
    from isocenter.io.dicom.header import read

    return str(read(Path(image.source.files[0])).patient)


def organs_known(exams: Sequence[Exam]) -> bool:
    """Whether the classes of lesions name organs."""
    names = {e.found.classes[int(i)] for e in exams for i in np.unique(e.found.labels)}
    return bool(names) and not any(n.lower() in PLAIN or n.isdigit() for n in names)
