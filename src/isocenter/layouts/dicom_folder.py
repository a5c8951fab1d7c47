"""A tree of DICOM files: one case a series."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from isocenter import io
from isocenter.data import Cases
from isocenter.layouts.ask import Ask, Notes
from isocenter.layouts.assembling import Item, assembled
from isocenter.layouts.scanning import is_image, looks_dicom

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
    """The cases, one a series; the patient's number groups them. Raises as `assembling.assembled`."""
    series = io.find_series(path)
    items = [
        Item(f"series{n}", partial(io.read_image, path, series=s.uid), str(path.absolute()), subject=s.subject)
        for n, s in enumerate(series, 1)
    ]
    return assembled(items, ask, root=path, tasks=(), reader=None, notes=Notes(ask.tolerant))
