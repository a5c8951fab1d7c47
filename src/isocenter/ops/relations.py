"""How objects lie to each other: contact, containment, distance of surfaces and of centres; 2D and 3D, any spacing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from isocenter.ops.array import Array
from isocenter.ops.surface import surface_pair, surface_points


@dataclass(frozen=True)
class Relation:
    """How object b lies to object a.

    Parameters
    ----------
    a, b
        Positions of the objects.
    shared
        Pixels that both hold.
    a_in_b, b_in_a
        Share of the pixels of the one within the other, holes that the other encloses included.
    contact
        Length (2D) or area (3D) along which they touch; None where they share pixels.
    gap
        Least distance of their surfaces, 0 where they touch or cross; corners are rounded by up to half a pixel.
    """

    a: int
    b: int
    shared: int
    a_in_b: float
    b_in_a: float
    contact: float | None
    gap: float


def relations(
    starts: Array, masks: Sequence[Array], *, shape: Sequence[int], matrix: Array | None = None,
    reach: float | None = None,
) -> tuple[Relation, ...]:
    """The relations of all pairs of objects, by position.

    The contact is half of what the surfaces of both together lose by being one (areas as in `isocenter.ops.surface`):
    it follows slanted boundaries, and falls short by about half a pixel at each end.

    Parameters
    ----------
    starts, masks
        int64 (n, axes) first pixels and bool crops, as in `Instances`.
    shape
        Of the grid.
    matrix
        float64 (world axes, axes): index steps to mm, as the affine without its shift; None: pixels.
    reach
        Pairs whose surfaces are farther apart are left out; None: all pairs.
    """
    steps = np.eye(len(shape)) if matrix is None else np.asarray(matrix, np.float64)
    placed = [_Placed.of(start, mask, steps) for start, mask in zip(starts, masks, strict=True)]
    found = []
    for i, j in _pairs(placed, reach):
        a, b = placed[i], placed[j]
        gap = a.gap(b)
        if reach is not None and gap > reach:
            continue
        shared = _shared(a, a.mask, b.mask, b)
        found.append(Relation(
            i, j, shared, _shared(a, a.mask, b.filled, b) / a.pixels, _shared(a, a.filled, b.mask, b) / b.pixels,
            None if shared else _contact(a, b, np.asarray(shape), np.linalg.norm(steps, axis=0)), gap,
        ))  # fmt: skip
    return tuple(found)


@dataclass(frozen=True, eq=False)
class _Placed:
    """One object with what all of its pairs need."""

    start: Array
    mask: Array
    filled: Array
    pixels: int
    surface: Array
    tree: object

    @classmethod
    def of(cls, start: Array, mask: Array, steps: Array) -> _Placed:
        from scipy.spatial import cKDTree

        surface = (surface_points(mask) + start) @ steps.T
        return cls(start, mask, _filled(mask), int(np.count_nonzero(mask)), surface, cKDTree(surface))

    @property
    def end(self) -> Array:
        return np.asarray(self.start + self.mask.shape)

    def gap(self, other: _Placed) -> float:
        few, many = (self, other) if len(self.surface) <= len(other.surface) else (other, self)
        return float(many.tree.query(few.surface)[0].min())  # type: ignore[attr-defined]


def _filled(mask: Array) -> Array:
    """The mask with the holes that it encloses by itself, wherever the image ends."""
    from scipy import ndimage

    around, _ = ndimage.label(~np.pad(mask, 1))
    inner = tuple(slice(1, -1) for _ in mask.shape)
    return np.asarray(around[inner] != around[(0,) * mask.ndim])


def _pairs(placed: Sequence[_Placed], reach: float | None) -> Iterator[tuple[int, int]]:
    """Pairs whose boxes in the world are not farther apart than `reach`."""
    low = np.asarray([p.surface.min(0) for p in placed])
    high = np.asarray([p.surface.max(0) for p in placed])
    for i in range(len(placed)):
        rest = np.arange(i + 1, len(placed))
        if reach is not None:
            apart = np.maximum(np.maximum(low[rest] - high[i], low[i] - high[rest]), 0.0)
            rest = rest[np.linalg.norm(apart, axis=1) <= reach]
        yield from ((i, int(j)) for j in rest)


def _cut(owner: _Placed, array: Array, low: Array, high: Array) -> Array:
    """The part of an object's crop within a box; False beyond the crop."""
    out = np.zeros(high - low, bool)
    first, last = np.maximum(owner.start, low), np.minimum(owner.end, high)
    if (last > first).all():
        to = tuple(slice(f, e) for f, e in zip(first - low, last - low, strict=True))
        out[to] = array[tuple(slice(f, e) for f, e in zip(first - owner.start, last - owner.start, strict=True))]
    return out


def _shared(a: _Placed, of_a: Array, of_b: Array, b: _Placed) -> int:
    """Pixels that an array on the crop of a and one on that of b both hold."""
    low, high = np.maximum(a.start, b.start), np.minimum(a.end, b.end)
    if (high <= low).any():
        return 0
    return int(np.count_nonzero(_cut(a, of_a, low, high) & _cut(b, of_b, low, high)))


def _contact(a: _Placed, b: _Placed, shape: Array, spacing: Array) -> float:
    """Area along which two objects that share no pixel touch."""
    # Neighbours lie within one pixel of both boxes; one more, so that no cell that holds both meets the cut.
    low, high = np.maximum(a.start, b.start) - 2, np.minimum(a.end, b.end) + 2
    if (high - low < 4).any():
        return 0.0
    low, high = np.maximum(low, 0), np.minimum(high, shape)
    one, other = _cut(a, a.mask, low, high), _cut(b, b.mask, low, high)
    if not one.any() or not other.any():
        return 0.0
    # A single slice has no top and no bottom there; its thickness is put back.
    flat = float(np.prod([s for s, n in zip(spacing, one.shape, strict=True) if n == 1]))
    apart = sum(surface_pair(one, other).areas(spacing.tolist()))
    together = surface_pair(one | other, one | other).areas(spacing.tolist())[0]
    # Below rounding there is none.
    return max(0.0, round((apart - together) / 2 * flat, 9))
