"""Whether what cells name is there: files, and arrays within files, each looked up once."""

from __future__ import annotations

from pathlib import Path

from isocenter.errors import IsocenterError
from isocenter.io import npz
from isocenter.layouts.cells import is_there, split_array


class Presence:
    """Answers for the cells of one table.

    Parameters
    ----------
    base
        The folder that cells are relative to.
    """

    def __init__(self, base: Path) -> None:
        self._base = base
        self._arrays: dict[str, int | None] = {}
        self._folders: dict[Path, frozenset[str]] = {}

    def __call__(self, cell: str) -> bool:
        """Whether the file, or the item of the array, is there."""
        name, rest = split_array(cell)
        if not rest or self._file(cell):
            return self._file(cell)
        place = npz.place(cell)
        if place is None or not self._file(name):
            return False
        length = self._length(name, place.name)
        return length is not None and (place.index is None or place.index < length)

    def _file(self, cell: str) -> bool:
        # One listing of a folder serves all its files; a stat each is slow on network drives.
        path = self._base / cell
        if path.parent not in self._folders:
            self._folders[path.parent] = _names_in(path.parent)
        return path.name in self._folders[path.parent] or is_there(path)

    def _length(self, file: str, name: str) -> int | None:
        """Items of an array; None where there is no such array, and no bound where its header cannot be read."""
        key = f"{file}#{name}"
        if key not in self._arrays:
            path = self._base / file
            try:
                known = path.suffix.lower() == ".npy" or not name or name in npz.names(path)
                shape = npz.stored(npz.Place(path, name)).shape if known and path.suffix.lower() == ".npz" else ()
                self._arrays[key] = (shape[0] if shape else 1 << 62) if known else None
            except IsocenterError:
                # A damaged archive is refused where it is opened, with its cause.
                self._arrays[key] = 1 << 62
        return self._arrays[key]


def _names_in(folder: Path) -> frozenset[str]:
    try:
        return frozenset(p.name for p in folder.iterdir())
    except (OSError, ValueError):
        return frozenset()
