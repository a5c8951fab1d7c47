"""Class folders: ROOT/CLASS/file or ROOT/SPLIT/CLASS/file."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from isocenter import io
from isocenter.data import Cases
from isocenter.layouts.ask import Ask, Notes
from isocenter.layouts.assembling import Item, assembled
from isocenter.layouts.cells import order
from isocenter.layouts.scanning import KINDS, SPLIT_NAMES, folders, images, looks_dicom, relative_id
from isocenter.layouts.truths import Classes
from isocenter.layouts.unused import unused_tables


def claims(path: Path) -> bool:
    """Whether the folder holds two or more folders of images that could be classes, perhaps below splits."""
    if not path.is_dir() or images(path):
        return False
    parts = _parts(path)
    classes = {c.name for _, found in parts for c in found}
    files = [images(c) for _, found in parts for c in found]
    filled = [f for f in files if f]
    if len(classes) < 2 or len(filled) < 2 or {c.lower() for c in classes} & KINDS:
        return False
    # Folders of one file each are subjects, and folders of slices are series.
    return sum(map(len, filled)) >= 2 * len(filled) and (parts[0][0] != "" or not looks_dicom(filled[0][0]))


def _parts(root: Path) -> list[tuple[str, list[Path]]]:
    """(split, class folders) of each part; the split is "" where there is none."""
    inner = folders(root)
    splits = {p: SPLIT_NAMES[p.name.lower()] for p in inner if p.name.lower() in SPLIT_NAMES}
    if splits and len(splits) == len(inner):
        return [(split, folders(p)) for p, split in splits.items()]
    return [("", inner)]


def read(path: Path, ask: Ask) -> Cases:
    """The cases, one an image; classes are the names of the folders. Raises as `assembling.assembled`."""
    notes = Notes(ask.tolerant, [*unused_tables(path)])
    items = []
    for split, found in _parts(path):
        for folder in found:
            items += [
                Item(relative_id(path, p), partial(io.read_image, p), str(p.absolute()), folder.name, split)
                for p in images(folder)
            ]
    names = tuple(sorted({item.label for item in items}, key=order))
    return assembled(
        items, ask, root=path, tasks=("classify",), notes=notes,
        reader=lambda: Classes(names, {n: n for n in names}),
    )
