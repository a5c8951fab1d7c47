"""Basins of a height: which summit lies uphill of each pixel, and which summits are worth their own basin."""

from __future__ import annotations

import itertools

import numpy as np

from isocenter.ops.array import Array
from isocenter.ops.kernel import kernel

# Heights below this carry no summit.
FAINT = 1e-3


def divided(mask: Array, height: Array, *, prominence: float, least: float = 1.0) -> Array:
    """A mask divided along the watersheds of a height: one number an object.

    Two neighbouring basins are one where the pass between them is nearly as high as the lower of their summits
    (Grimaud, SPIE 1769 (1992) 292, with the dynamics taken as a share: objects of every size are judged alike).

    Parameters
    ----------
    mask
        bool (*grid).
    height
        float32 (*grid), above 0 in the mask; for example the distance to its edge.
    prominence
        0 to 1: basins are apart where the pass lies below (1 - prominence) of the lower summit.
    least
        Fewest pixels of an object.

    Returns
    -------
    int32 (*grid): 0 outside, objects from 1.
    """
    there, basins = _numbered(np.where(mask, summits(height), -1))
    tops = np.where(there >= 0, height.ravel()[np.maximum(there, 0)], -1.0)
    owner = np.arange(len(there))

    def root(i: int) -> int:
        while owner[i] != i:
            owner[i] = owner[owner[i]]
            i = int(owner[i])
        return i

    pairs, passes = _passes(basins, height, there[0] < 0)
    for k in np.argsort(-passes, kind="stable"):
        a, b = root(int(pairs[k, 0])), root(int(pairs[k, 1]))
        if a != b and passes[k] > (1.0 - prominence) * min(tops[a], tops[b]):
            low, high = (a, b) if tops[a] < tops[b] else (b, a)
            owner[low] = high
    final = np.asarray([root(i) for i in range(len(there))], np.int32)
    merged = final[basins]
    kept = np.bincount(merged.ravel(), minlength=len(there)) >= least
    kept &= there >= 0
    table = np.where(kept, np.cumsum(kept), 0).astype(np.int32)
    return np.asarray(table[merged])


def _numbered(roots: Array) -> tuple[Array, Array]:
    """The roots that occur, rising, and for each pixel the position of its own among them; -1 is one of them."""
    held = np.zeros(roots.size + 1, bool)
    # -1 marks the last place.
    held[roots.ravel()] = True
    ground = int(held[-1])
    held[-1] = False
    position = np.cumsum(held, dtype=np.int32)
    position += ground - 1
    position[-1] = 0
    there = np.concatenate([np.full(ground, -1, np.int64), np.flatnonzero(held)])
    return there, position[roots]


def _passes(basins: Array, height: Array, ground: bool) -> tuple[Array, Array]:
    """Pairs (n, 2) of neighbouring basins and the height of the pass between them; basin 0 is left out as ground."""
    keys, heights = [], []
    for axis in range(basins.ndim):
        first = tuple(slice(0, -1) if a == axis else slice(None) for a in range(basins.ndim))
        second = tuple(slice(1, None) if a == axis else slice(None) for a in range(basins.ndim))
        a, b = basins[first], basins[second]
        apart = a != b
        if ground:
            apart &= (a > 0) & (b > 0)
        low, high = np.minimum(a, b)[apart], np.maximum(a, b)[apart]
        keys.append(low.astype(np.int64) * (int(basins.max()) + 1) + high)
        heights.append(np.minimum(height[first], height[second])[apart])
    flat, between = np.concatenate(keys), np.concatenate(heights)
    there, index = np.unique(flat, return_inverse=True)
    out = np.zeros(len(there), np.float64)
    np.maximum.at(out, index, between)
    return np.stack(np.divmod(there, int(basins.max()) + 1), 1), out


def summits(height: Array) -> Array:
    """int64 (*grid): flat index of the local maximum that steepest ascent reaches from each pixel; -1 where nothing is.

    Parameters
    ----------
    height
        float32 (*grid), at least 0.
    """
    padded = np.pad(np.ascontiguousarray(height, np.float32), 1, constant_values=-1.0)
    strides = np.asarray(padded.strides, np.int64) // padded.itemsize
    steps = np.asarray([s for s in itertools.product((-1, 0, 1), repeat=height.ndim) if any(s)], np.int64)
    roots = _climbed(padded.ravel(), steps @ strides, np.float32(FAINT)).reshape(padded.shape)
    inner = roots[(slice(1, -1),) * height.ndim]
    there = inner >= 0
    out = np.full(height.shape, -1, np.int64)
    # Only where there is one: most of a picture holds none.
    out[there] = np.ravel_multi_index([a - 1 for a in np.unravel_index(inner[there], padded.shape)], height.shape)
    return out


@kernel
def _climbed(height: Array, steps: Array, faint: np.float32) -> Array:
    n = len(height)
    up = np.full(n, -1, np.int64)
    for i in range(n):
        if height[i] <= faint:
            continue
        best, top = i, height[i]
        for step in steps:
            j = i + step
            # Of equal neighbours the later one, so that a plateau has one summit.
            if height[j] > top or (height[j] == top and j > best):
                best, top = j, height[j]
        up[i] = best
    for i in range(n):
        root = i
        while root >= 0 and up[root] != root:
            root = up[root]
        while root >= 0 and up[i] >= 0 and up[i] != root:
            following = up[i]
            up[i] = root
            i = following
    return up
