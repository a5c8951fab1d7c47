"""Regions that grow from many seeds at once and stop where they meet."""

from __future__ import annotations

import heapq
import itertools

import numpy as np

from isocenter.ops.array import Array
from isocenter.ops.kernel import kernel


def seeds_of(mask: Array, *, apart: float = 1.0, least: float = 1.0) -> Array:
    """One seed in every bulge of a mask: the innermost pixels, none near one that lies deeper.

    Parameters
    ----------
    mask
        bool (*grid).
    apart
        A seed lets no other be within this multiple of its distance to the mask's outside.
    least
        Smallest such distance of a seed, in pixels.

    Returns
    -------
    int32 (*grid): seed i is i + 1, the deepest first; 0 elsewhere.
    """
    from scipy import ndimage

    out = np.zeros(mask.shape, np.int32)
    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[(slice(1, -1),) * mask.ndim]
    top = (depth == ndimage.maximum_filter(depth, 3)) & (depth >= least)
    at = np.argwhere(top)
    deep = depth[top]
    at, deep = at[np.argsort(-deep, kind="stable")], deep[np.argsort(-deep, kind="stable")]
    count = 0
    while len(at):
        count += 1
        out[tuple(at[0])] = count
        far = ((at - at[0]) ** 2).sum(1) > (apart * deep[0]) ** 2
        far[0] = False
        at, deep = at[far], deep[far]
    return out


def grown_together(values: Array, seeds: Array, mask: Array, *, tolerance: float) -> Array:
    """Each pixel of a mask to the seed that it is most like, nearest in value first.

    The pixel that differs least from the mean of the region beside it joins that region, and the mean follows; a pixel
    that differs by more than `tolerance` does not join.

    Source: Adams, Bischof, Seeded region growing, IEEE Trans. PAMI 16 (1994) 641.

    Parameters
    ----------
    values
        Finite numbers (*grid).
    seeds
        int32 (*grid): numbers from 1, 0 elsewhere.
    mask
        bool (*grid): where regions may lie.
    tolerance
        Largest difference from the mean, in units of `values`.

    Returns
    -------
    int32 (*grid): number of the region, 0 outside; regions touch at faces.
    """
    # A rim that belongs to nobody spares the loop its bounds.
    held = np.pad(np.asarray(values, np.float64), 1)
    labels = np.pad(np.where(mask, seeds, 0).astype(np.int64), 1)
    free = np.pad(np.asarray(mask, np.bool_), 1)
    steps = [int(s // held.itemsize) for s in held.strides]
    offsets = np.array([sign * s for s, sign in itertools.product(steps, (-1, 1))], np.int64)
    flat = labels.ravel()
    _grow(held.ravel(), flat, free.ravel(), offsets, float(tolerance))
    return np.asarray(flat.reshape(labels.shape)[(slice(1, -1),) * labels.ndim], np.int32)


@kernel
def _grow(values: Array, labels: Array, free: Array, offsets: Array, tolerance: float) -> None:
    count = labels.max() + 1
    sums, sizes = np.zeros(count), np.zeros(count)
    # Of equal differences the earlier found comes first.
    queue = [(0.0, 0, 0, 0)]
    turn = 0
    for i in range(labels.size):
        if labels[i] > 0:
            sums[labels[i]] += values[i]
            sizes[labels[i]] += 1
    for i in range(labels.size):
        if labels[i] > 0:
            for offset in offsets:
                j = i + offset
                if free[j] and labels[j] == 0:
                    turn += 1
                    away = abs(values[j] - sums[labels[i]] / sizes[labels[i]])
                    heapq.heappush(queue, (away, turn, j, labels[i]))
    while len(queue) > 0:
        _, _, i, label = heapq.heappop(queue)
        if label == 0 or labels[i] > 0 or abs(values[i] - sums[label] / sizes[label]) > tolerance:
            continue
        labels[i] = label
        sums[label] += values[i]
        sizes[label] += 1
        for offset in offsets:
            j = i + offset
            if free[j] and labels[j] == 0:
                turn += 1
                heapq.heappush(queue, (abs(values[j] - sums[label] / sizes[label]), turn, j, label))
