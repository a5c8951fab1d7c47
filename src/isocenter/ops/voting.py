"""From per-pixel votes for an object's centre to a map with one number an object.

Each pixel of the foreground points to the centre of its object (Kendall et al., CVPR 2018; Cheng et al., CVPR 2020).
The votes are counted on the grid and smoothed; a pixel belongs to the summit that lies uphill of where it points.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from isocenter.ops.array import Array
from isocenter.ops.basins import summits


def objects(
    inside: Array, offsets: Array, weights: Array, *, apart: float, smooth: float = 1.0, least: float = 1.0
) -> Array:
    """One number an object.

    Parameters
    ----------
    inside
        bool (*grid): pixels that belong to any object.
    offsets
        float32 (axes, *grid): from each pixel to the centre of its object, in pixels.
    weights
        float32 (*grid), 0 to 1: how much each pixel's vote counts.
    apart
        Summits nearer than this are one object, in pixels.
    smooth
        SD of the Gaussian that smooths the votes, in pixels.
    least
        Weight that the votes of an object must sum to about.

    Returns
    -------
    int32 (*grid): 0 outside, objects from 1 in the order of their summits.
    """
    out = np.zeros(inside.shape, np.int32)
    flat = np.flatnonzero(inside)
    if not len(flat):
        return out
    shape = np.asarray(inside.shape)
    places = np.stack(np.unravel_index(flat, inside.shape), 1)
    moved = places + offsets.reshape(len(shape), -1)[:, flat].T
    aim = np.clip(np.rint(moved), 0, shape - 1).astype(np.int64)
    index = np.ravel_multi_index(tuple(aim.T), inside.shape)
    votes = np.bincount(index, weights=weights.ravel()[flat], minlength=inside.size).astype(np.float32)
    height = ndimage.gaussian_filter(votes.reshape(inside.shape), smooth, mode="constant", truncate=3.0)
    summit = summits(height)
    numbers = _merged(summit, height, apart)
    found = numbers[summit.ravel()[index]]
    strength = np.bincount(found, weights=weights.ravel()[flat], minlength=int(numbers.max(initial=0)) + 1)
    kept = strength >= least
    kept[0] = False
    renumbered = np.where(kept, np.cumsum(kept), 0)
    out.ravel()[flat] = renumbered[found]
    return out


def _merged(summit: Array, height: Array, apart: float) -> Array:
    """Flat index of a summit (-1: the last entry) to its object's number, from 1; of two near ones the higher stays."""
    roots = np.unique(summit[summit >= 0])
    numbers = np.zeros(summit.size + 1, np.int64)
    if not len(roots):
        return numbers
    order = roots[np.argsort(-height.ravel()[roots], kind="stable")]
    places = np.stack(np.unravel_index(order, summit.shape), 1)
    near = cKDTree(places).query_ball_point(places, apart)
    own = np.zeros(len(order), np.int64)
    count = 0
    for i, others in enumerate(near):
        stronger = [own[j] for j in sorted(others) if j < i and own[j]]
        if stronger:
            own[i] = stronger[0]
        else:
            count += 1
            own[i] = count
    numbers[order] = own
    return numbers


def spread(numbers: Array, offsets: Array, shape: Sequence[int]) -> Array:
    """float64 (objects,): mean distance in pixels between where an object's pixels point and their mean."""
    flat = np.flatnonzero(numbers)
    own = numbers.ravel()[flat] - 1
    moved = np.stack(np.unravel_index(flat, tuple(shape)), 1) + offsets.reshape(len(shape), -1)[:, flat].T
    n = np.maximum(np.bincount(own), 1)
    mean = np.stack([np.bincount(own, weights=moved[:, a]) / n for a in range(moved.shape[1])], 1)
    return np.asarray(np.bincount(own, weights=np.linalg.norm(moved - mean[own], axis=1)) / n)
