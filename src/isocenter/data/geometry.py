"""Where the pixels of a grid lie in the patient.

World points are LPS millimetres (x to the patient's left, y to the back, z to the head), as DICOM writes them.
Array indices run in array order: (z, y, x) in 3D, (y, x) in 2D; pixel i has its centre at index i.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from isocenter.errors import GeometryError
from isocenter.ops.array import Array

Rows = tuple[tuple[float, ...], ...]
# Negative and positive end of each LPS axis.
ENDS = (("R", "L"), ("A", "P"), ("I", "S"))


@dataclass(frozen=True)
class Geometry:
    """A grid in space.

    Parameters
    ----------
    shape
        Number of pixels per array axis, (z, y, x) or (y, x).
    affine
        Matrix of (w + 1) rows by (n + 1) columns that maps (index..., 1) to (world..., 1) in mm. Columns are in array
        order, rows are x, y[, z]. A 2D grid may lie in a 3D world (a DICOM slice: 4 by 3) or in a plane of its own
        (3 by 3). None: the spacing is unknown, and lengths are in pixels.
    frame
        Identifier of the frame of reference, where the file gave one.

    Raises
    ------
    GeometryError
        The affine has a wrong shape, holds NaN or infinity, or squeezes the grid flat.
    """

    shape: tuple[int, ...]
    affine: Rows | None = None
    frame: str | None = None

    def __post_init__(self) -> None:
        if self.affine is None:
            return
        m = np.asarray(self.affine, float)
        n = len(self.shape)
        if m.ndim != 2 or m.shape[1] != n + 1 or not n + 1 <= m.shape[0] <= 4:
            raise GeometryError("the affine does not fit the grid", got=f"{m.shape}", wanted=f"(w + 1, {n + 1})")
        if not np.isfinite(m).all():
            raise GeometryError("the affine holds NaN or infinity", remedy="Fix the header or set a spacing")
        lengths = np.linalg.norm(m[:-1, :-1], axis=0)
        volume = np.sqrt(max(np.linalg.det(m[:-1, :-1].T @ m[:-1, :-1]), 0.0))
        if (lengths == 0).any() or volume < 1e-6 * np.prod(lengths):
            raise GeometryError("the affine is singular", got=f"column lengths {lengths.tolist()}")
        object.__setattr__(self, "affine", tuple(tuple(float(v) for v in row) for row in m))

    @classmethod
    def from_spacing(
        cls, shape: Sequence[int], spacing: Sequence[float] | None, *, origin: Sequence[float] | None = None
    ) -> Geometry:
        """An axis-aligned grid.

        Parameters
        ----------
        shape
            Pixels per array axis.
        spacing
            mm per array axis, or None when unknown.
        origin
            World point of pixel 0 as (x, y[, z]) mm; default 0.

        >>> Geometry.from_spacing((4, 5), (2.0, 1.0)).spacing
        (2.0, 1.0)
        """
        shape = tuple(int(s) for s in shape)
        if spacing is None:
            return cls(shape)
        n = len(shape)
        m = np.zeros((n + 1, n + 1))
        m[:n, :n] = np.fliplr(np.diag(np.asarray(spacing, float)[::-1]))
        m[:n, n] = 0.0 if origin is None else np.asarray(origin, float)
        m[n, n] = 1.0
        return cls(shape, tuple(map(tuple, m.tolist())))

    @property
    def ndim(self) -> int:
        """Number of array axes, 2 or 3."""
        return len(self.shape)

    @property
    def matrix(self) -> Array | None:
        """The affine as a float64 array, or None."""
        return None if self.affine is None else np.asarray(self.affine, float)

    @property
    def spacing(self) -> tuple[float, ...] | None:
        """mm per array axis, or None when unknown."""
        m = self.matrix
        return None if m is None else tuple(float(v) for v in np.linalg.norm(m[:-1, :-1], axis=0))

    @property
    def unit(self) -> str:
        """``"mm"`` where the spacing is known, else ``"px"``."""
        return "px" if self.affine is None else "mm"

    @property
    def pixel_volume(self) -> float | None:
        """mm^2 (2D) or mm^3 (3D) of one pixel, or None when the spacing is unknown."""
        m = self.matrix
        return None if m is None else float(np.sqrt(np.linalg.det(m[:-1, :-1].T @ m[:-1, :-1])))

    @property
    def diagonal(self) -> float:
        """Length of the image's diagonal in `unit`."""
        s = np.asarray(self.spacing or (1.0,) * self.ndim)
        return float(np.linalg.norm(s * np.asarray(self.shape)))

    @property
    def orientation(self) -> str | None:
        """Patient direction that each array axis runs towards, such as ``"SPL"``; None unless the world is 3D.

        >>> Geometry.from_spacing((2, 3, 4), (1, 1, 1)).orientation
        'SPL'
        """
        m = self.matrix
        if m is None or m.shape[0] != 4:
            return None
        unit = m[:-1, :-1] / np.linalg.norm(m[:-1, :-1], axis=0)
        codes, free = [""] * self.ndim, [0, 1, 2]
        # The clearest axis chooses first, so that an oblique grid never gets one direction twice.
        for axis in np.argsort(-np.abs(unit).max(axis=0), kind="stable"):
            world = max(free, key=lambda w: abs(unit[w, axis]))
            free.remove(world)
            codes[axis] = ENDS[world][int(unit[world, axis] > 0)]
        return "".join(codes)

    def to_world(self, indices: Array) -> Array:
        """World points (N, w) in mm of indices (N, n); GeometryError when the spacing is unknown."""
        m = self._known()
        return np.asarray(indices, float) @ m[:-1, :-1].T + m[:-1, -1]

    def to_index(self, points: Array) -> Array:
        """Indices (N, n), fractional, of world points (N, w); GeometryError when the spacing is unknown."""
        m = self._known()
        return (np.asarray(points, float) - m[:-1, -1]) @ np.linalg.pinv(m[:-1, :-1]).T

    def same_grid(self, other: Geometry, tolerance: float = 1e-3) -> bool:
        """Whether shape and positions agree within `tolerance` mm at every corner (two unknown spacings agree)."""
        if self.shape != other.shape or (self.affine is None) != (other.affine is None):
            return False
        if self.affine is None or other.affine is None:
            return True
        if len(self.affine) != len(other.affine):
            return False
        corners = np.stack(np.meshgrid(*[(0, s - 1) for s in self.shape], indexing="ij"), -1).reshape(-1, self.ndim)
        return bool(np.abs(self.to_world(corners) - other.to_world(corners)).max() <= tolerance)

    def reoriented(self, order: Sequence[int], flips: Sequence[bool]) -> Geometry:
        """The grid after ``array.transpose(order)`` and then a flip of each axis where `flips` says so."""
        shape = tuple(self.shape[o] for o in order)
        if self.affine is None:
            return replace(self, shape=shape)
        m = self._known()[:, [*order, self.ndim]].copy()
        for axis, flip in enumerate(flips):
            if flip:
                m[:, -1] += m[:, axis] * (shape[axis] - 1)
                m[:, axis] *= -1
        return replace(self, shape=shape, affine=_rows(m))

    def cropped(self, start: Sequence[int], shape: Sequence[int]) -> Geometry:
        """The grid of ``array[start:start + shape]``; a negative start or a larger shape pads."""
        shape = tuple(int(s) for s in shape)
        if self.affine is None:
            return replace(self, shape=shape)
        m = self._known().copy()
        m[:-1, -1] += m[:-1, :-1] @ np.asarray(start, float)
        return replace(self, shape=shape, affine=_rows(m))

    def resampled(self, shape: Sequence[int]) -> Geometry:
        """The grid of another shape that covers the same box edge to edge, so that the centre stays."""
        shape = tuple(int(s) for s in shape)
        if self.affine is None:
            return replace(self, shape=shape)
        m = self._known().copy()
        factor = np.asarray(self.shape) / np.asarray(shape)
        m[:-1, -1] += m[:-1, :-1] @ (0.5 * factor - 0.5)
        m[:-1, :-1] *= factor
        return replace(self, shape=shape, affine=_rows(m))

    def _known(self) -> Array:
        if self.affine is None:
            raise GeometryError("the spacing is unknown", wanted="mm", remedy="State the spacing or work in pixels")
        return np.asarray(self.affine, float)


def _rows(m: Array) -> Rows:
    return tuple(tuple(float(v) for v in row) for row in m)


def orienting(geometry: Geometry, codes: str) -> tuple[tuple[int, ...], tuple[bool, ...]]:
    """The transposition and flips that bring a 3D grid to an orientation such as ``"SPL"``.

    Returns
    -------
    order, flips
        For `Geometry.reoriented` and for ``np.flip(array.transpose(order), axes)``.

    Raises
    ------
    GeometryError
        The grid is not 3D in a 3D world, or `codes` does not name each of L/R, A/P and I/S once.
    """
    have = geometry.orientation
    pairs = {c: pair for pair in ENDS for c in pair}
    if have is None or geometry.ndim != 3:
        raise GeometryError("only a 3D grid with known spacing has an orientation", got=str(geometry.shape))
    if sorted(map(str, (pairs.get(c) for c in codes))) != sorted(map(str, ENDS)):
        raise GeometryError("not an orientation", got=codes, wanted="three letters such as SPL")
    order = tuple(next(a for a, h in enumerate(have) if pairs[h] == pairs[c]) for c in codes)
    return order, tuple(have[o] != c for o, c in zip(order, codes, strict=True))
