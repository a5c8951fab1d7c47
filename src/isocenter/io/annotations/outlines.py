"""Objects as closed lines in a plane: what the files of QuPath and ImageJ hold once they are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from isocenter.errors import LabelError
from isocenter.io.annotations.marks import Crop, Marks, plane, stacked
from isocenter.io.annotations.polygons import bounds, filled
from isocenter.ops.array import Array

# Class, outline and score of one object.
Outline = tuple[str, tuple[Array, ...], float | None]


@dataclass(frozen=True, eq=False)
class Outlines:
    """The outlined objects of a file.

    Parameters
    ----------
    path, format, item
        Of the file, and what it calls an object; for messages.
    names
        Class of each object, `OBJECT` where it has none.
    rings
        Outline of each: all rings of all its parts.
    scores
        Score of each, or None.
    """

    path: str
    format: str
    item: str
    names: tuple[str, ...]
    rings: tuple[tuple[Array, ...], ...]
    scores: tuple[float | None, ...]

    @classmethod
    def of(cls, path: str, found: Sequence[Outline], *, format: str, item: str) -> Self:
        """The objects that were read, in the file's order."""
        names, rings, scores = zip(*found, strict=True) if found else ((), (), ())
        return cls(path, format, item, tuple(names), tuple(rings), tuple(scores))

    @property
    def classes(self) -> tuple[str, ...]:
        """The names, sorted."""
        return tuple(sorted(set(self.names)))

    def size(self, image: str) -> tuple[int, ...] | None:
        """Not stated."""
        return None

    def marks(self, image: str, shape: tuple[int, ...]) -> Marks:
        """Its objects; LabelError for a volume, and for the pixels of one that holds none."""
        grid = plane(shape, self.format)

        def crop(i: int) -> Crop:
            found = filled(self.rings[i], grid)
            if found is None:
                raise LabelError("an outline outside the image", where=self.path, got=f"{self.item} {i + 1}")
            return found

        given = [s for s in self.scores if s is not None]
        scored = np.asarray(given) if given and len(given) == len(self.names) else None
        return Marks(self.names, stacked([bounds(r) for r in self.rings], 2), crop, scored)
