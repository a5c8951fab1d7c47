"""COCO: a JSON file of boxes or masks for many images, one a split, with the images in folders beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from isocenter import io
from isocenter.data import Cases
from isocenter.errors import IsocenterError, TableError
from isocenter.io.annotations import coco
from isocenter.layouts.ask import Ask, Notes
from isocenter.layouts.assembling import Item, assembled, objects_of
from isocenter.layouts.cells import suffix
from isocenter.layouts.scanning import SPLIT_NAMES

# What stands at the start of such a file, whatever the order of its keys.
HEAD, KEYS = 1 << 16, (b'"images"', b'"annotations"', b'"categories"', b'"licenses"', b'"info"')


def claims(path: Path) -> bool:
    """Whether the path is a COCO file, or a folder that holds one, in itself, ``annotations`` or a split's folder."""
    return bool(found(path))


def found(path: Path) -> list[Path]:
    """The COCO files; those called ``instances...`` alone where there are any (others are captions, keypoints)."""
    if path.is_file():
        return [path] if _looks(path) else []
    if not path.is_dir():
        return []
    inner = [p for p in sorted(path.iterdir()) if p.is_dir() and p.name.lower() in ("annotations", *SPLIT_NAMES)]
    files = [f for place in (path, *inner) for f in sorted(place.glob("*.json")) if _looks(f)]
    return [f for f in files if f.name.startswith("instances")] or files


def _looks(path: Path) -> bool:
    if path.suffix.lower() != ".json" or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError:
        return False
    return head.lstrip().startswith(b"{") and sum(k in head for k in KEYS) >= 2 and any(k in head for k in KEYS[:2])


def read(path: Path, ask: Ask) -> Cases:
    """The cases: every image that a file lists, those without annotations too; the file's name gives the split.

    Raises
    ------
    UnreadableError
        A file that is not COCO.
    TableError
        A listed image is not there (names it).
    LabelError
        As `objects.reader`.
    """
    root = path if path.is_dir() else path.parent
    notes = Notes(ask.tolerant)
    files = found(path)
    items: list[Item] = []
    outlined = False
    for file in files:
        try:
            source = coco.read(file)
        except IsocenterError as error:
            notes.refuse(error)
            continue
        outlined |= any(a.get("segmentation") for annotations in source.items.values() for a in annotations)
        items += _items(root, file, source, notes)
    tasks = ("instances", "detect") if outlined else ("detect",)
    return assembled(
        items, ask, root=root, tasks=tasks, notes=notes, reader=objects_of(items, ask, where=path, notes=notes)
    )


def _items(root: Path, file: Path, source: coco.Coco, notes: Notes) -> Iterator[Item]:
    split = split_of(file)
    for name in source.images:
        image = next((p for p in _places(root, file, split) if (p / name).is_file()), None)
        if image is None:
            notes.leave_out("a file is not there")
            notes.refuse(TableError(
                "an image of the list is not there", where=str(file), got=name,
                wanted="beside the file, in images, or in a folder of the split's name",
            ))
            continue
        at = (image / name).absolute()
        title = name.removesuffix(suffix(name))
        yield Item(title, partial(io.read_image, at), str(at), str(file.absolute()), split)


def _places(root: Path, file: Path, split: str) -> Sequence[Path]:
    year = re.search(r"(train|val|test)(\d{4})", file.stem)
    named = [year[0]] if year else []
    named += [n for n, s in SPLIT_NAMES.items() if s == split]
    bases = [file.parent, root, root.parent]
    inner = [b / n for b in bases for n in ("images", *named, *(f"images/{n}" for n in named))]
    return [*bases, *inner]


def split_of(file: Path) -> str:
    """The split that a file's name or its folder's tells, or "".

    >>> split_of(Path("annotations/instances_val2017.json")), split_of(Path("valid/_annotations.coco.json"))
    ('val', 'val')
    """
    for text in (file.stem.lower(), file.parent.name.lower()):
        for word in re.split(r"[^a-z]+", text):
            if word in SPLIT_NAMES:
                return SPLIT_NAMES[word]
    return ""
