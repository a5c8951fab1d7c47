"""Which convention a folder or file follows: each is asked, in an order in which the more explicit comes first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from isocenter import io
from isocenter.data import Case, Cases, Image
from isocenter.errors import MissingFileError, UnreadableError, UsageError
from isocenter.layouts import memory
from isocenter.layouts.ask import Ask
from isocenter.layouts.cells import split_array

# A file of this name in `isocenter.layouts`, with ``claims(path)`` and ``read(path, ask)``, is one convention.
ORDER = (
    "table", "pattern", "medmnist", "decathlon", "nnunet", "coco", "voc", "yolo", "mask_folders", "class_folders",
    "dicom_folder", "image_folder", "one_file",
)


def read(
    data: Any,
    *,
    task: str | None = None,
    target: str | None = None,
    facts: Sequence[str] = (),
    group: str | None = None,
    positive: str | None = None,
    role: str | None = None,
) -> Cases:
    """The cases of whatever holds them; nothing is opened yet.

    Parameters
    ----------
    data
        A folder or table on disk, a pattern such as ``"plate/{well}_s{field}_w{channel}.tif"``, a data frame, a pair of
        arrays ``(x, y)`` (of numpy or torch, or sequences of arrays, nibabel or SimpleITK images), a `Case`, an `Image`
        of ours, nibabel or SimpleITK, or `Cases`.
    task
        Whose truth to bind, such as ``"segment"``; None: none is bound, and `Cases.tasks` says what could be asked.
    target, facts, group
        Columns of the truth, of what a method may use, and of what stays on one side of a split. They win over whatever
        the data declare.
    positive
        The class that one-sided metrics lead with.
    role
        Name of the image that methods for one image take.

    Raises
    ------
    MissingFileError, UnreadableError
        Nothing is there; or nothing that any layout understands.
    TableError, AmbiguousError, NotFoundError, LabelError
        Contradictions, two possible readings (both are named), names that are not there (the nearest is).
    """
    return _read(data, Ask(task, target, tuple(facts), group, positive, role))


def with_unlabelled(
    data: Any,
    *,
    task: str | None = None,
    target: str | None = None,
    facts: Sequence[str] = (),
    group: str | None = None,
    positive: str | None = None,
    role: str | None = None,
) -> Cases:
    """As `read`; the rows of train in a table that have no label map are cases too, for learning from images alone."""
    return _read(data, Ask(task, target, tuple(facts), group, positive, role, unlabelled=True))


def survey(
    data: Any,
    *,
    task: str | None = None,
    target: str | None = None,
    group: str | None = None,
    positive: str | None = None,
    role: str | None = None,
) -> Cases:
    """As `read`, for look and check: rows that cannot be used become problems of the cases instead of a refusal."""
    return _read(data, Ask(task, target, (), group, positive, role, tolerant=True))


def _read(data: Any, ask: Ask) -> Cases:
    if isinstance(data, (str, Path)):
        return _on_disk(Path(data), ask)
    if isinstance(data, Cases):
        return memory.again(data, ask)
    if isinstance(data, (Case, Image)):
        return memory.single(data, ask)
    if hasattr(data, "itertuples") and hasattr(data, "columns"):
        return memory.frame(data, ask)
    if io.placed(data):
        return memory.single(io.as_image(data), ask)
    if isinstance(data, (tuple, list)) and len(data) == 2:
        return memory.pair(data, ask)
    raise UsageError("not data", got=type(data).__name__, wanted="a path, (x, y), a data frame, Cases")


def _on_disk(path: Path, ask: Ask) -> Cases:
    try:
        name = layout_of(path)
        found: Cases = module(name).read(path, ask)
    except (OSError, ValueError) as error:
        # A folder that may not be entered, a name that no file can have.
        text = error.strerror if isinstance(error, OSError) else str(error)
        raise UnreadableError("cannot be read", where=str(path)[:200], got=text or type(error).__name__) from error
    return replace(found, layout=name)


def layout_of(path: Path) -> str:
    """Name of the convention that a path follows.

    Raises
    ------
    MissingFileError
        Nothing is there, or the folder is empty.
    UnreadableError
        No convention fits.
    """
    if "{" not in str(path) and not split_array(str(path))[1]:
        if not path.exists():
            raise MissingFileError("no such file or folder", where=str(path))
        if path.is_dir() and not any(path.iterdir()):
            raise MissingFileError("the folder is empty", where=str(path), wanted="images, or a table of cases")
    for name in ORDER:
        if module(name).claims(path):
            return name
    raise UnreadableError(
        "nothing here that a layout understands", where=str(path), wanted=", ".join(n for n in ORDER),
        remedy="Write a table with a column 'image': one row a case",
    )


def module(name: str) -> ModuleType:
    """The module of a convention."""
    return import_module(f"isocenter.layouts.{name}")


def describe() -> dict[str, str]:
    """Name of each convention to its one line, in the order in which they are asked."""
    return {name: (module(name).__doc__ or "").split("\n")[0] for name in ORDER}
