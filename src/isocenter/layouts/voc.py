"""Pascal VOC: Annotations/NAME.xml beside JPEGImages/NAME.jpg, splits in ImageSets/Main."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from isocenter import io
from isocenter.data import Cases
from isocenter.layouts.ask import Ask, Notes
from isocenter.layouts.assembling import Item, assembled, objects_of
from isocenter.layouts.cells import suffix
from isocenter.layouts.scanning import SPLIT_NAMES, images

IMAGES = ("jpegimages", "images", "imgs")


def claims(path: Path) -> bool:
    """Whether there are XML files in a folder ``Annotations`` beside a folder of images."""
    notes, pictures = _folder(path, ("annotations",)), _folder(path, IMAGES)
    return notes is not None and pictures is not None and any(notes.glob("*.xml"))


def read(path: Path, ask: Ask) -> Cases:
    """The cases, one an image; an image without an annotation file is left out of a task, because nobody looked at it.

    Raises
    ------
    UnreadableError, LabelError
        As `objects.reader`.
    """
    notes = Notes(ask.tolerant)
    annotations, pictures = _folder(path, ("annotations",)), _folder(path, IMAGES)
    files = images(pictures) if pictures else []
    said = {p.stem: p.absolute() for p in sorted(annotations.glob("*.xml"))} if annotations else {}
    splits = _splits(path)
    items = []
    for image in files:
        name = image.name.removesuffix(suffix(image.name))
        label = str(said.pop(name)) if name in said else ""
        at = image.absolute()
        items.append(Item(name, partial(io.read_image, at), str(at), label, splits.get(name, "")))
    if said:
        got = ", ".join([*said][:3]) + (" ..." if len(said) > 3 else "")
        notes.warn("annotation-alone", f"{len(said)} annotations have no image", where=str(path), got=got)
    return assembled(
        items, ask, root=path, tasks=("detect",), notes=notes, reader=objects_of(items, ask, where=path, notes=notes)
    )


def _folder(path: Path, names: tuple[str, ...]) -> Path | None:
    """The folder of the first of these names, capitals aside."""
    if not path.is_dir():
        return None
    inner = {p.name.lower(): p for p in sorted(path.iterdir()) if p.is_dir()}
    return next((inner[n] for n in names if n in inner), None)


def _splits(path: Path) -> dict[str, str]:
    """Name of an image to its split, from the lists in ImageSets/Main."""
    folder = path / "ImageSets" / "Main"
    found: dict[str, str] = {}
    for word, split in SPLIT_NAMES.items():
        if (folder / f"{word}.txt").is_file():
            lines = (folder / f"{word}.txt").read_text(encoding="utf-8-sig").split()
            found |= {name: split for name in lines if not name.lstrip("-").isdigit() or len(name) > 2}
    return found
