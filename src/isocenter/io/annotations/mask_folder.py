"""A folder with one mask an object, as the 2018 Data Science Bowl gives them; overlaps survive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from isocenter.data import OBJECT
from isocenter.errors import LabelError, MissingFileError
from isocenter.io import formats
from isocenter.io.annotations.marks import Crop, Marks, cropped, edges_of, stacked
from isocenter.io.reading import read_labels


@dataclass(frozen=True, eq=False)
class MaskFolder:
    """The masks of one image: `read` makes it.

    Parameters
    ----------
    files
        One an object.
    names
        The class of each: its folder's name where the masks lie in folders of classes.
    """

    files: tuple[Path, ...]
    names: tuple[str, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """The names, sorted."""
        return tuple(sorted(set(self.names)))

    def size(self, image: str) -> tuple[int, ...] | None:
        """Not asked before the masks are read."""
        return None

    def marks(self, image: str, shape: tuple[int, ...]) -> Marks:
        """The objects; a mask of no pixel is a box without area.

        Raises
        ------
        LabelError
            A mask of another size than its image, or with several numbers.
        """
        crops = [_crop(path, shape) for path in self.files]
        return Marks(self.names, stacked([edges_of(c) for c in crops], len(shape)), lambda i: crops[i])


def claims(path: Path) -> bool:
    """Whether the path is a folder."""
    return path.is_dir()


def read(path: str | Path) -> MaskFolder:
    """The masks in a folder, or in the folders of classes in it; an empty folder is an image without objects.

    Raises
    ------
    MissingFileError
        No such folder.
    """
    path = Path(path)
    if not path.is_dir():
        raise MissingFileError("no such folder of masks", where=str(path))
    own = _masks(path)
    if own:
        return MaskFolder(tuple(own), (OBJECT,) * len(own))
    pairs = [(p, inner.name) for inner in sorted(path.iterdir()) if inner.is_dir() for p in _masks(inner)]
    return MaskFolder(tuple(p for p, _ in pairs), tuple(n for _, n in pairs))


def _masks(folder: Path) -> Sequence[Path]:
    return sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".") and formats.suffix(p))


def _crop(path: Path, shape: tuple[int, ...]) -> Crop:
    array, _ = read_labels(path)
    if array.shape != tuple(shape):
        got = str(array.shape)
        raise LabelError(
            "a mask of another size than its image", where=str(path), got=got, wanted=str(tuple(shape)),
            remedy="Bring the mask that was drawn on this image, or move the file out of the folder",
        )
    values = np.unique(array)
    if len(values[values != 0]) > 1:
        raise LabelError(
            "a mask of several numbers", where=str(path), got=str(values[:5].tolist()), wanted="0 and one more",
            remedy="Save the masks as black and white, without shades at their edges, and one object a file",
        )
    return cropped(array != 0) or (np.zeros(len(shape), np.int64), np.zeros((0,) * len(shape), bool))
