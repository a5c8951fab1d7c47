"""YOLO: images/ and labels/ with a text file an image, splits as folders, class names in data.yaml or classes.txt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from isocenter import io
from isocenter.data import Cases
from isocenter.io.annotations import yolo
from isocenter.layouts.ask import Ask, Notes
from isocenter.layouts.assembling import Item, assembled, declared_beside, objects_of
from isocenter.layouts.cells import suffix
from isocenter.layouts.objects import Objects
from isocenter.layouts.scanning import SPLIT_NAMES, below, folders


def claims(path: Path) -> bool:
    """Whether there are text files in a folder ``labels`` beside ``images``, in itself or in its splits' folders."""
    return any(next((image / ".." / "labels").rglob("*.txt"), None) for image, _ in _parts(path))


def _parts(path: Path) -> list[tuple[Path, str]]:
    """Folders of images with the split that lies above them, or ""."""
    if not path.is_dir():
        return []
    places = [(path, ""), *((p, SPLIT_NAMES[p.name.lower()]) for p in folders(path) if p.name.lower() in SPLIT_NAMES)]
    return [(p / "images", split) for p, split in places if (p / "images").is_dir() and (p / "labels").is_dir()]


def read(path: Path, ask: Ask) -> Cases:
    """The cases, one an image; an image without a text file has no objects, as the convention says.

    Raises
    ------
    UnreadableError, LabelError
        As `objects.reader`.
    """
    notes = Notes(ask.tolerant)
    items = list(_items(path))
    absent = [i.label for i in items if not Path(i.label).is_file()]
    if absent:
        n = f"{len(absent)} image{'s' * (len(absent) != 1)}"
        notes.note("no-label-file", f"{n} without a text file: taken for images without objects", where=str(path))
    made = objects_of([i for i in items if i.label not in absent], ask, where=path, notes=notes)

    def reader() -> Objects:
        found = made()
        empty = {label: yolo.Yolo((), label) for label in absent}
        said = declared_beside(path).truth.get(ask.task or "")
        known = () if said and said.labels else yolo.names_beside(path / "labels")
        return replace(_named(found, known), held={**found.held, **empty})

    outlined = any(_outlined(Path(i.label)) for i in items if i.label not in absent)
    tasks = ("instances", "detect") if outlined else ("detect",)
    return assembled(items, ask, root=path, tasks=tasks, notes=notes, reader=reader)


def _named(found: Objects, known: tuple[str, ...]) -> Objects:
    """All classes of the list, in its order, where there is one; else those that the files use."""
    return replace(found, names=known, meaning={n: n for n in known}) if known else found


def _outlined(path: Path) -> bool:
    """Whether the first line of a file is an outline."""
    with path.open(encoding="utf-8-sig") as file:
        return len(file.readline().split()) > 6


def _items(path: Path) -> Iterator[Item]:
    for folder, above in _parts(path):
        for image in below(folder):
            inner = image.relative_to(folder)
            split = above or (SPLIT_NAMES.get(inner.parts[0].lower(), "") if len(inner.parts) > 1 else "")
            stem = inner.as_posix().removesuffix(suffix(inner.name))
            label = folder.parent / "labels" / f"{stem}.txt"
            name = f"{folder.parent.name}/{stem}" if above else stem
            at = image.absolute()
            yield Item(name, partial(io.read_image, at), str(at), str(label.absolute()), split)
