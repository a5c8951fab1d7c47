"""A folder of images without a table: cases without truth."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from isocenter import io
from isocenter.data import Cases
from isocenter.layouts.ask import Ask, Notes
from isocenter.layouts.assembling import Item, assembled
from isocenter.layouts.scanning import below, relative_id
from isocenter.layouts.unused import unused_tables


def claims(path: Path) -> bool:
    """Whether there is any image in the folder or below it."""
    return path.is_dir() and next(below(path), None) is not None


def read(path: Path, ask: Ask) -> Cases:
    """The cases, one an image. Raises as `assembling.assembled`."""
    items = [Item(relative_id(path, p), partial(io.read_image, p), str(p.absolute())) for p in below(path)]
    notes = Notes(ask.tolerant, [*unused_tables(path)])
    return assembled(items, ask, root=path, tasks=(), reader=None, notes=notes)
