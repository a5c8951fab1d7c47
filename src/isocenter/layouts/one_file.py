"""One file that `io` reads: one case."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from isocenter import io
from isocenter.data import Cases
from isocenter.layouts.ask import Ask, Notes
from isocenter.layouts.assembling import Item, assembled
from isocenter.layouts.cells import identity, located, split_array


def claims(path: Path) -> bool:
    """Whether the path is a file, or names an array in one."""
    return path.is_file() or (bool(split_array(str(path))[1]) and Path(split_array(str(path))[0]).is_file())


def read(path: Path, ask: Ask) -> Cases:
    """The case; UnreadableError when nobody here reads the file."""
    spec = str(path)
    opening = partial(io.read_image, spec)
    opening()
    name = identity(path.parent, path.name)
    item = Item(name, opening, located(Path.cwd(), spec))
    return assembled([item], ask, root=path.with_name(name), tasks=(), reader=None, notes=Notes(ask.tolerant))
