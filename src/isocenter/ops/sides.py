"""One image of two that are aligned: values on a grid in a world, and coarser grids of the same box."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from isocenter.ops.array import Array
from isocenter.ops.resample import resize


@dataclass(frozen=True, eq=False)
class Side:
    """One image.

    Parameters
    ----------
    volume
        float32 (z, y, x); a flat image has one z. NaN is what takes no part.
    matrix
        float64 (4, 4): index (x, y, z, 1) to world.
    flat
        Whether it has two axes.
    """

    volume: Array
    matrix: Array
    flat: bool

    @cached_property
    def to_index(self) -> Array:
        """(4, 4): world to index (x, y, z, 1)."""
        return np.linalg.inv(self.matrix)

    @property
    def spacing(self) -> Array:
        """(3,), of (x, y, z)."""
        return np.asarray(np.linalg.norm(self.matrix[:3, :3], axis=0))

    @property
    def size(self) -> Array:
        """(3,): lengths of the axes (x, y, z) from edge to edge; 0 across a flat image."""
        size = self.spacing * np.array(self.volume.shape[::-1])
        return np.where([False, False, self.flat], 0.0, size)

    def on(self, spacing: float) -> Side:
        """On a grid of the same box that is no finer than `spacing`."""
        old = np.array(self.volume.shape[::-1])
        new = np.maximum(1, np.round(self.size / spacing)).astype(int)
        new = np.where((self.spacing >= spacing) | (old == 1), old, np.minimum(new, old))
        if (new == old).all():
            return self
        shape = tuple(int(n) for n in new[::-1])
        known = np.isfinite(self.volume)
        if known.all():
            volume = resize(self.volume[None], shape)[0]
        else:
            both = resize(np.stack([np.where(known, self.volume, 0.0), known]), shape)
            with np.errstate(invalid="ignore", divide="ignore"):
                volume = np.where(both[1] > 0.5, both[0] / both[1], np.nan).astype(np.float32)
        factor = old / new
        matrix = self.matrix.copy()
        matrix[:3, 3] += matrix[:3, :3] @ (0.5 * factor - 0.5)
        matrix[:3, :3] *= factor
        return Side(np.ascontiguousarray(volume), matrix, self.flat)

    def centres(self) -> tuple[Array, Array]:
        """World points (3,): of the box, and of mass, values counted from the least."""
        box = self.matrix[:3, :3] @ ((np.array(self.volume.shape[::-1]) - 1) / 2) + self.matrix[:3, 3]
        weights = np.nan_to_num(self.volume - np.nanmin(self.volume), nan=0.0).astype(float)
        total = weights.sum()
        if not total > 0:
            return box, box
        sums = [weights.sum(axis=tuple(a for a in range(3) if a != 2 - k)) @ np.arange(weights.shape[2 - k])
                for k in range(3)]
        return box, self.matrix[:3, :3] @ (np.array(sums) / total) + self.matrix[:3, 3]
