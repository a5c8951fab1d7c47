"""Which objects of two sets share pixels, and how many: masks in crops of one grid, 2D and 3D."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isocenter.ops.array import Array

# Above this many cells a joint histogram is sorted instead of laid out.
CELLS = 1 << 24


@dataclass(frozen=True, eq=False)
class Overlaps:
    """The pairs of objects that share a pixel; all other pairs share none.

    Parameters
    ----------
    a, b
        int64 (k,): position in the first and second set, by rising `a`, then `b`.
    pixels
        int64 (k,): pixels that both hold.
    areas_a, areas_b
        int64 (n,) and (m,): pixels of each object.
    """

    a: Array
    b: Array
    pixels: Array
    areas_a: Array
    areas_b: Array

    @property
    def iou(self) -> Array:
        """float64 (k,): intersection over union of each pair."""
        return np.asarray(self.pixels / (self.areas_a[self.a] + self.areas_b[self.b] - self.pixels))


def overlaps(
    a: tuple[Array, Sequence[Array]], b: tuple[Array, Sequence[Array]], shape: Sequence[int]
) -> Overlaps:
    """The pixels shared between the objects of two sets.

    One joint histogram of two label maps, as far as the second set does not overlap itself; an object of it that meets
    an earlier one is compared crop by crop. So each pair's number is exact.

    Parameters
    ----------
    a, b
        Starts (n, axes) and bool crops, as in `Instances`; objects of one set may overlap.
    shape
        Of the grid.
    """
    numbers = np.zeros(tuple(shape), np.int32)
    apart = []
    for j, (where, mask) in enumerate(_crops(b)):
        view = numbers[where]
        if view[mask].any():
            apart.append(j)
        else:
            view[mask] = j + 1
    areas = [np.asarray([int(np.count_nonzero(m)) for m in masks], np.int64) for _, masks in (a, b)]
    met = [numbers[where][mask] for where, mask in _crops(a)]
    rows, columns, pixels = _joint(met, areas[0], len(b[1]))
    if apart:
        more = [_between(a, b, j) for j in apart]
        rows, columns, pixels = (
            np.concatenate([first, *rest]) for first, rest in zip((rows, columns, pixels), zip(*more, strict=True),
                                                                  strict=True)
        )
        order = np.lexsort((columns, rows))
        rows, columns, pixels = rows[order], columns[order], pixels[order]
    return Overlaps(rows, columns, pixels, areas[0], areas[1])


def _joint(met: Sequence[Array], areas: Array, count: int) -> tuple[Array, Array, Array]:
    """Rows, columns and pixels from what number each pixel of each object meets (0: none)."""
    n = len(met)
    keys = np.repeat(np.arange(n, dtype=np.int64) * (count + 1), areas)
    keys += np.concatenate(met) if n else 0
    if n * (count + 1) <= CELLS:
        table = np.bincount(keys, minlength=n * (count + 1))
        there = np.flatnonzero(table)
        pixels = table[there]
    else:
        there, pixels = np.unique(keys, return_counts=True)
    rows, numbers = np.divmod(there, count + 1)
    known = numbers > 0
    return rows[known], numbers[known] - 1, pixels[known].astype(np.int64)


def _between(a: tuple[Array, Sequence[Array]], b: tuple[Array, Sequence[Array]], j: int) -> tuple[Array, Array, Array]:
    """Rows, columns and pixels of one object of `b` with all of `a`, crop by crop."""
    starts, masks = a
    ends = starts + np.asarray([m.shape for m in masks], np.int64).reshape(starts.shape)
    start, mask = b[0][j], b[1][j]
    low, high = np.maximum(starts, start), np.minimum(ends, start + np.asarray(mask.shape))
    found: list[tuple[int, int, int]] = []
    for i in np.flatnonzero((high > low).all(axis=1)):
        parts = [m[tuple(slice(int(p), int(q)) for p, q in zip(low[i] - s, high[i] - s, strict=True))]
                 for m, s in ((masks[int(i)], starts[i]), (mask, start))]
        both = int(np.count_nonzero(parts[0] & parts[1]))
        if both:
            found.append((int(i), j, both))
    rows, columns, pixels = np.asarray(found, np.int64).reshape(-1, 3).T
    return rows, columns, pixels


def _crops(objects: tuple[Array, Sequence[Array]]) -> list[tuple[tuple[slice, ...], Array]]:
    """Each object's part of the grid and its mask."""
    starts, masks = objects
    return [(tuple(slice(int(s), int(s) + n) for s, n in zip(start, mask.shape, strict=True)), mask)
            for start, mask in zip(starts, masks, strict=True)]
