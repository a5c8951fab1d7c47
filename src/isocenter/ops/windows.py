"""Windows over a grid that is too large to be answered at once, and their blending."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from isocenter.ops.array import Array

Corner = tuple[int, ...]
# The least weight of a window's pixel against its centre: keeps every weighted sum well above rounding.
LEAST = 1e-3


def corners(shape: Sequence[int], patch: Sequence[int], overlap: float = 0.5) -> tuple[Corner, ...]:
    """First pixels of windows that cover the grid, sorted.

    Parameters
    ----------
    shape
        Grid; at least `patch` on every axis.
    patch
        Window.
    overlap
        Least share by which neighbours overlap, 0 <= overlap < 1. Windows are spread evenly, as in nnU-Net (Isensee et
        al., Nature Methods 2021).

    >>> corners((10,), (4,), 0.5)
    ((0,), (2,), (4,), (6,))
    """
    return tuple(itertools.product(*(_starts(n, p, overlap) for n, p in zip(shape, patch, strict=True))))


def _starts(n: int, p: int, overlap: float) -> list[int]:
    step = max(1.0, p * (1.0 - overlap))
    count = int(np.ceil((n - p) / step - 1e-9)) + 1
    return [int(v) for v in np.round(np.linspace(0, n - p, count))]


def gaussian(patch: Sequence[int], width: float = 0.125) -> Array:
    """Weights of one window: float32 (*patch), 1 at the centre, never below 1e-3.

    Parameters
    ----------
    patch
        Window.
    width
        SD as a share of the window.
    """
    out = np.ones(tuple(patch), np.float32)
    for axis, n in enumerate(patch):
        x = (np.arange(n) - (n - 1) / 2) / max(n * width, 1e-9)
        out *= np.exp(-0.5 * x * x).astype(np.float32).reshape((-1,) + (1,) * (len(patch) - 1 - axis))
    return np.asarray(np.maximum(out / out.max(), np.float32(LEAST)))


def blend(answers: Iterable[Array], where: Sequence[Corner], shape: Sequence[int]) -> Iterator[Array]:
    """Weighted mean of overlapping windows, given back in slabs along the first axis as soon as they are final.

    Parameters
    ----------
    answers
        float32 (c, *patch), one per corner.
    where
        Corners, sorted, that cover the grid.
    shape
        Grid.

    Yields
    ------
    float32 (c, rows, *shape[1:]); together (c, *shape).
    """
    first, begun = 0, iter(answers)
    head = next(begun)
    weight = gaussian(head.shape[1:])
    sums = _empty((*head.shape[:2], *shape[1:]))
    total = _empty(sums.shape[1:])
    for corner, answer in zip(where, itertools.chain([head], begun), strict=True):
        if final := corner[0] - first:
            yield sums[:, :final] / total[:final]
            _advance(sums.swapaxes(0, 1), final)
            _advance(total, final)
            first = corner[0]
        box = tuple(slice(c, c + n) for c, n in zip(corner[1:], answer.shape[2:], strict=True))
        # One class at a time, so that the product stays in the cache.
        for c in range(len(answer)):
            one: Array = sums[c]
            one[(slice(None), *box)] += answer[c] * weight
        total[(slice(None), *box)] += weight
    yield sums / total


def _empty(shape: Sequence[int]) -> Array:
    return np.zeros(shape, np.float32)


def _advance(rows: Array, by: int) -> None:
    """Moves rows up by `by`, in place, and empties the last ones."""
    keep = max(len(rows) - by, 0)
    for i in range(keep):
        rows[i] = rows[i + by]
    rows[keep:] = 0


def padded(array: Array, shape: Sequence[int]) -> Array:
    """(c, *grid) padded on both sides to at least `shape`: mirrored where it is long enough, else by its edge."""
    out = array
    for axis, n in enumerate(shape, start=1):
        lack = max(0, n - array.shape[axis])
        if lack:
            width = [(0, 0)] * array.ndim
            width[axis] = (lack // 2, lack - lack // 2)
            out = np.pad(out, width, mode="reflect" if width[axis][1] < array.shape[axis] else "edge")
    return out


def unpadded(array: Array, shape: Sequence[int]) -> Array:
    """The part (c, *shape) of an array that `padded` made larger."""
    lack = [max(0, have - n) for have, n in zip(array.shape[1:], shape, strict=True)]
    return array[(slice(None), *(slice(k // 2, k // 2 + n) for k, n in zip(lack, shape, strict=True)))]


def trimmed(slabs: Iterable[Array], shape: Sequence[int], inner: Sequence[int]) -> Iterator[Array]:
    """Slabs (c, rows, *shape[1:]) of a grid that `padded` made, without the padding around `inner`."""
    before, row = max(0, shape[0] - inner[0]) // 2, 0
    for slab in slabs:
        start, stop = max(before - row, 0), min(before + inner[0] - row, slab.shape[1])
        row += slab.shape[1]
        if stop > start:
            yield unpadded(slab[:, start:stop], (stop - start, *inner[1:]))


def multiple(shape: Sequence[int], divisor: Sequence[int]) -> tuple[int, ...]:
    """The smallest grid not below `shape` that is a multiple of `divisor` (empty: 1) on every axis.

    >>> multiple((17, 32), (16, 16))
    (32, 32)
    """
    divisor = tuple(divisor) or (1,) * len(shape)
    return tuple(-(-n // d) * d for n, d in zip(shape, divisor, strict=True))
