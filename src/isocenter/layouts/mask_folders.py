"""A folder an image with one mask an object: ID/images/ID.png and ID/masks/*.png (Data Science Bowl 2018)."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from isocenter import io
from isocenter.data import Cases
from isocenter.layouts.ask import Ask, Notes
from isocenter.layouts.assembling import Item, assembled, objects_of
from isocenter.layouts.scanning import SPLIT_NAMES, folders, images


def claims(path: Path) -> bool:
    """Whether folders hold one image in ``images`` each, and most of them ``masks``, perhaps below splits."""
    found = _parts(path)
    return bool(found) and 2 * sum((p / "masks").is_dir() for p, _ in found) > len(found)


def _parts(path: Path) -> list[tuple[Path, str]]:
    """Folders of one image with their split, or ""."""
    if not path.is_dir():
        return []
    inner = folders(path)
    # The Bowl's own folders are called stage1_train and the like.
    splits = {p: s for p in inner if (s := SPLIT_NAMES.get(p.name.lower().split("_")[-1]))}
    places = [(q, splits.get(p, "")) for p in inner for q in (folders(p) if p in splits else [p])]
    return [(p, s) for p, s in places if (p / "images").is_dir() and len(images(p / "images")) == 1]


def read(path: Path, ask: Ask) -> Cases:
    """The cases, one a folder; overlaps of masks survive, and an empty folder of masks is an image without objects.

    Raises
    ------
    LabelError
        A mask of another size than its image, or of several numbers, when it is read.
    """
    notes = Notes(ask.tolerant)
    items = []
    for folder, split in _parts(path):
        image = images(folder / "images")[0].absolute()
        masks = folder / "masks"
        label = str(masks.absolute()) if masks.is_dir() else ""
        items.append(Item(folder.name, partial(io.read_image, image), str(image), label, split))
    return assembled(
        items, ask, root=path, tasks=("instances", "detect"), notes=notes,
        reader=objects_of(items, ask, where=path, notes=notes),
    )
