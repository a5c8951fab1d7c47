"""A tree of DICOM files: one case a series."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from isocenter import io
from isocenter.data import Cases, Image
from isocenter.io.dicom import build, header
from isocenter.layouts.ask import Ask, Notes
from isocenter.layouts.assembling import Item, assembled
from isocenter.layouts.scanning import is_image, looks_dicom
from isocenter.layouts.unused import unused_tables

# Files looked at before deciding what a folder holds.
ENOUGH = 200


def claims(path: Path) -> bool:
    """Whether most of the images in the folder and below it are DICOM files."""
    if not path.is_dir():
        return False
    seen = found = 0
    for folder, inner, names in os.walk(path):
        inner[:] = sorted(d for d in inner if not d.startswith("."))
        for name in sorted(n for n in names if not n.startswith(".")):
            file = Path(folder) / name
            dicom = looks_dicom(file)
            found += dicom
            seen += dicom or is_image(file)
        if seen >= ENOUGH:
            break
    return found > 0 and 2 * found > seen


def read(path: Path, ask: Ask) -> Cases:
    """The cases, one a series; those of one patient are one subject. Raises as `assembling.assembled`."""
    items = [_item(path.absolute(), series) for series in io.find_series(path)]
    notes = Notes(ask.tolerant, [*unused_tables(path)])
    return assembled(items, ask, root=path, tasks=(), reader=None, notes=notes)


def _item(root: Path, series: io.Series) -> Item:
    # The folder of its first file, so that a message leads to it; the key, because a UID may lead to a patient.
    place = Path(series.files[0]).parent
    return Item(
        f"series-{series.key}", partial(opened, root, series.files), str(place),
        subject=header.read(Path(series.files[0])).patient, notes={"modality": series.modality},
    )


def opened(root: Path, files: tuple[str, ...]) -> Image:
    """The image of one series from its files, so that the others need not be looked through again."""
    return build.image(str(root), [header.read(Path(file)) for file in files])
