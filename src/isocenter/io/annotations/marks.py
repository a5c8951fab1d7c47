"""What a file says about the objects of one image, before its classes have numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from isocenter.data import Boxes, Geometry, Instances
from isocenter.errors import LabelError, OutputError
from isocenter.ops.array import Array

# First pixel of a crop, int64 (axes,), and the bool mask of the object within it.
Crop = tuple[Array, Array]
# An edge may leave the image by this many pixels without a word: corners are rounded.
ROUNDING = 1.0


@dataclass(frozen=True, eq=False)
class Marks:
    """Objects as a file names them; some may be useless, which `faults` says.

    Parameters
    ----------
    names
        The class of each, as text.
    edges
        float64 (n, 2, axes): low and high edge per axis in pixels, array order, as in `Boxes`; not yet judged.
    crop
        The pixels of object `i`, where the file outlines it; None where it knows boxes alone.
    scores
        float64 (n,) in [0, 1], or None.
    ignored
        bool (n,): neither to be found nor wrong to find; None: none.
    doubted
        bool (n,): boxes whose two corners are one point, which some programs write for a slip of the mouse.
    """

    names: tuple[str, ...]
    edges: Array
    crop: Callable[[int], Crop] | None = None
    scores: Array | None = None
    ignored: Array | None = None
    doubted: Array | None = None

    def faults(self, shape: Sequence[int]) -> dict[int, str]:
        """Position to what is wrong with that object on a grid of this shape; those cannot be used."""
        found: dict[int, str] = {}
        for i, (low, high) in enumerate(self.edges):
            if not np.isfinite([low, high]).all():
                found[i] = "with an edge that is no number"
            elif (high <= low).any() or (self.doubted is not None and self.doubted[i]):
                found[i] = "without area"
            elif (high <= -0.5).any() or (low >= np.asarray(shape) - 0.5).any():
                found[i] = "outside the image"
        return found

    def leaving(self, shape: Sequence[int]) -> list[int]:
        """Positions of boxes that leave the grid by more than a rounding; they are cut at its border."""
        top = np.asarray(shape) - 0.5
        beyond = np.maximum(-0.5 - self.edges[:, 0], self.edges[:, 1] - top).max(axis=1, initial=0)
        bad = self.faults(shape)
        return [i for i, d in enumerate(beyond) if d > ROUNDING and i not in bad]

    def text(self, i: int) -> str:
        """Object `i` for a message: its number in the file, class, and edges counted from the image's corner."""
        axes = "zyx"[-self.edges.shape[2] :]
        edges = [f"{a} {low:g} to {high:g}" for a, low, high in zip(axes, *(self.edges[i] + 0.5), strict=True)]
        return f"object {i + 1} ({self.names[i]}, {', '.join(edges[::-1])})"

    def boxes(
        self, kept: Sequence[int], labels: Sequence[int], *, classes: tuple[str, ...], geometry: Geometry
    ) -> Boxes:
        """The kept objects as boxes, cut at the border of the grid; `labels` are their classes."""
        at = np.asarray(kept, np.int64)
        top = np.asarray(geometry.shape) - 0.5
        edges = np.clip(self.edges[at].reshape(len(at), 2, len(top)), -0.5, top)
        scores, ignored = (None if v is None else v[at] for v in (self.scores, self.ignored))
        return Boxes(edges, np.asarray(labels, np.int64), classes, geometry, scores, ignored)

    def instances(
        self, kept: Sequence[int], labels: Sequence[int], *, classes: tuple[str, ...], geometry: Geometry
    ) -> Instances:
        """The kept objects with their pixels.

        Raises
        ------
        LabelError
            The file knows boxes alone, or an object has no pixel.
        """
        if self.crop is None and kept:
            raise LabelError("boxes alone say nothing about pixels", wanted="outlines or masks")
        crops = [self.crop(i) for i in kept] if self.crop else []
        starts = np.asarray([start for start, _ in crops], np.int64).reshape(-1, len(geometry.shape))
        scores = None if self.scores is None else self.scores[np.asarray(kept, np.int64)]
        masks = tuple(mask for _, mask in crops)
        return Instances(starts, masks, np.asarray(labels, np.int64), classes, geometry, scores)


class Source(Protocol):
    """An annotation file that has been opened."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Every class name in the file, in the file's order where it has one."""

    def size(self, image: str) -> tuple[int, ...] | None:
        """Grid of an image (its path), as far as the file says it."""

    def marks(self, image: str, shape: tuple[int, ...]) -> Marks:
        """What the file says about an image (its path) of that grid; MissingFileError where it does not know it."""


def corners(low: Sequence[float], high: Sequence[float]) -> Array:
    """Edges (2, axes) from corners counted from the image's own corner, x first: ``corners((x0, y0), (x1, y1))``.

    >>> corners((0, 2), (1, 4)).tolist()
    [[1.5, -0.5], [3.5, 0.5]]
    """
    return np.asarray([low[::-1], high[::-1]], np.float64) - 0.5


def stacked(edges: Sequence[Array], axes: int) -> Array:
    """Edges of several objects as float64 (n, 2, axes)."""
    return np.asarray(edges, np.float64).reshape(-1, 2, axes)


def plane(shape: Sequence[int], what: str) -> tuple[int, int]:
    """Height and width of a 2D grid; LabelError for another: these files know x and y alone."""
    if len(shape) != 2:
        raise LabelError(f"{what} knows x and y alone", got=f"a grid of {len(shape)} axes", wanted="2 axes")
    return int(shape[0]), int(shape[1])


def flat(value: Boxes | Instances, what: str) -> tuple[int, int]:
    """Height and width of what shall be written; OutputError for a volume."""
    if value.geometry.ndim != 2:
        raise OutputError(
            f"{what} knows x and y alone", got=f"{value.geometry.ndim} axes",
            remedy="Write .csv for boxes, .nii.gz or .seg.nrrd for objects",
        )
    return int(value.geometry.shape[0]), int(value.geometry.shape[1])


def boxed(value: Boxes | Instances) -> Boxes:
    """The boxes of either finding."""
    return value if isinstance(value, Boxes) else value.boxes()


def cropped(mask: Array, start: Sequence[int] | None = None) -> Crop | None:
    """A mask cut to what it holds, with its first pixel; None for an empty one."""
    if not mask.any():
        return None
    held = [np.flatnonzero(mask.any(axis=tuple(a for a in range(mask.ndim) if a != k))) for k in range(mask.ndim)]
    cut = tuple(slice(int(h[0]), int(h[-1]) + 1) for h in held)
    first = np.asarray([c.start for c in cut], np.int64) + (0 if start is None else np.asarray(start, np.int64))
    return first, np.ascontiguousarray(mask[cut])


def edges_of(crop: Crop) -> Array:
    """Edges (2, axes) of a tight crop."""
    start, mask = crop
    return np.asarray([start - 0.5, start + np.asarray(mask.shape) - 0.5])
