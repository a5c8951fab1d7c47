"""Data that already are in memory: arrays, data frames, images, cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from isocenter import io
from isocenter.data import Case, Cases, Entry, Image, Instances
from isocenter.errors import InputError, NotFoundError, UsageError, nearest
from isocenter.layouts import table, table_files
from isocenter.layouts.ask import Ask, Notes
from isocenter.layouts.binding import positive_named
from isocenter.layouts.cases_json import Declared
from isocenter.layouts.grids import aligned
from isocenter.ops.array import Array


def frame(data: Any, ask: Ask) -> Cases:
    """The cases of a pandas data frame; paths in it are relative to the working folder. Raises as `table.read`."""
    rows = table_files.of_frame(data, Path.cwd() / "data frame")
    cases = table.cases_of(rows, Declared(), ask, Notes(ask.tolerant))
    return replace(cases, name="data frame", table="", layout="table")


def pair(data: Sequence[Any], ask: Ask) -> Cases:
    """The cases of (x, y): numpy or torch arrays, or one nibabel, SimpleITK, torch or numpy object a case.

    Raises
    ------
    InputError
        As `Cases.from_arrays`, and where an object is no image.
    GeometryError
        A label map lies on another grid than its image.
    """
    task = ask.task or "classify"
    for what, values in (("x", data[0]), ("y", data[1])):
        if io.placed(values) or isinstance(values, Image):
            raise InputError(f"{what} is one image", got=type(values).__name__, wanted="a sequence, one a case",
                             remedy="Hand over ([image, ...], [truth, ...])")
    x, y = plain(data[0]), plain(data[1])
    if not isinstance(x, np.ndarray):
        x = [io.as_image(one) if io.placed(one) else plain(one) for one in x]
    if task in ("segment", "instances") and y is not None and not isinstance(y, np.ndarray):
        y = [
            m if isinstance(m, (Instances, tuple)) else on_grid(m, x[i] if i < len(x) else None, f"label map {i}")
            for i, m in enumerate(y)
        ]
    return again(Cases.from_arrays(x, y, task=task), ask)


def plain(values: Any) -> Any:
    """A torch tensor or a pandas column as a numpy array; everything else as it is."""
    kind = type(values).__module__.split(".")[0]
    if kind == "torch":
        return values.detach().cpu().numpy()
    return values.to_numpy() if kind == "pandas" else values


def on_grid(mask: Any, image: Any, where: str) -> Array:
    """The numbers of a label map; GeometryError where it and its image say that they lie apart."""
    if not io.placed(mask):
        return np.asarray(plain(mask))
    array, geometry = io.as_labels(mask, where=where)
    return aligned(array, geometry, image.geometry, where=where) if isinstance(image, Image) else array


def single(data: Case | Image, ask: Ask) -> Cases:
    """One case as cases; UsageError when the truth of a task is asked, because nobody says whose truth it has."""
    if ask.task and (isinstance(data, Image) or data.load_truth is None):
        raise UsageError(f"one image has no truth for {ask.task}", remedy="Hand over a table, or arrays (x, y)")
    case = Case.of(data) if isinstance(data, Image) else data
    if ask.role:
        case = replace(case, lead=ask.role)
    files = {role: image.name for role, image in case.images.items() if image.source.files}
    return Cases((Entry(case.id, lambda: case, case.subject, case.group, case.split, files),), case.id, ask.task or "")


def again(cases: Cases, ask: Ask) -> Cases:
    """Cases with what the caller says about them.

    Raises
    ------
    UsageError
        Another task than theirs, or columns, which only data on disk have.
    LabelError, NotFoundError
        No such class, group or role.
    """
    if ask.task and cases.task != ask.task:
        raise UsageError(
            f"these cases bring no truth for {ask.task}", where=cases.name, got=cases.task or "no truth",
            remedy="Read them again with that task",
        )
    if ask.target or ask.facts:
        raise UsageError("--target and --facts name columns: read the table again with them", where=cases.name)
    if ask.positive:
        cases = replace(cases, positive=positive_named(cases.classes, ask.positive, None, cases.name))
    if ask.group:
        cases = replace(cases, entries=tuple(_grouped(e, ask.group) for e in cases.entries))
    if ask.role:
        role = ask.role
        cases = replace(cases, entries=tuple(replace(e, open=partial(_led, e, role)) for e in cases.entries))
    return cases


def _grouped(entry: Entry, column: str) -> Entry:
    if column not in entry.notes:
        raise NotFoundError(f"no group {column!r}", where=entry.id, remedy=nearest(column, entry.notes))
    group = entry.notes[column]
    return replace(entry, group=group, open=lambda: replace(entry.open(), group=group))


def _led(entry: Entry, role: str) -> Case:
    case = entry.open()
    case.image(role)
    return replace(case, lead=role)
