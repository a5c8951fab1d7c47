"""From per-pixel votes for an object's centre to a map with one number an object.

Each pixel of the foreground points to the centre of its object (Kendall et al., CVPR 2018; Cheng et al., CVPR 2020).
The votes are counted on the grid and smoothed; a pixel belongs to the summit that lies uphill of where it points.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isocenter.ops.array import Array
from isocenter.ops.basins import FAINT, divided
from isocenter.ops.kernel import kernel

# Limits of the lengths, in pixels, that are smoothed alike; SD of the Gaussian: a constant, and a share of the length.
LENGTHS = (2.0, 4.0, 8.0, 16.0, 32.0)
BLUR = (0.8, 0.2)


def objects(inside: Array, offsets: Array, weights: Array, *, prominence: float, least: float = 1.0) -> Array:
    """One number an object.

    A vote is the less exact, the farther it points: votes are smoothed in proportion to their length, so that large
    objects gather theirs and small neighbours keep theirs apart.

    Parameters
    ----------
    inside
        bool (*grid): pixels that belong to any object.
    offsets
        float32 (axes, *grid): from each pixel to the centre of its object, in pixels.
    weights
        float32 (*grid), 0 to 1: how much each pixel's vote counts.
    prominence
        0 to 1: summits are two objects where the pass between them lies below (1 - prominence) of the lower one.
    least
        Weight that the votes of an object must sum to.

    Returns
    -------
    int32 (*grid): 0 outside, objects from 1.
    """
    out = np.zeros(inside.shape, np.int32)
    flat = np.flatnonzero(inside)
    if not len(flat):
        return out
    last = np.asarray(inside.shape) - 1
    pointed = offsets.reshape(len(last), -1)[:, flat].T
    aim = np.rint(np.stack(np.unravel_index(flat, inside.shape), 1) + pointed)
    index = np.ravel_multi_index(tuple(np.clip(aim, 0, last).astype(np.int64).T), inside.shape)
    strength = weights.ravel()[flat]
    height = _heights(index, strength, np.linalg.norm(pointed, axis=1), inside.shape)
    found = divided(height > FAINT, height, prominence=prominence).ravel()[index]
    sums = np.bincount(found, weights=strength, minlength=1)
    kept = sums >= least
    kept[0] = False
    out.ravel()[flat] = np.where(kept, np.cumsum(kept), 0)[found]
    return out


def _heights(index: Array, strength: Array, length: Array, shape: Sequence[int]) -> Array:
    height = np.zeros(tuple(shape), np.float32)
    # Two grids for all levels: fresh memory costs more than the votes.
    votes, spare = np.empty(height.shape), np.empty(height.shape)
    level = np.searchsorted(LENGTHS, length, side="right")
    for k in np.unique(level):
        own = level == k
        votes.fill(0.0)
        np.add.at(votes.reshape(-1), index[own], strength[own])
        height += smoothed(votes, BLUR[0] + BLUR[1] * 1.5 * (1.0, *LENGTHS)[k], spare)
    return height


def smoothed(votes: Array, sd: float, spare: Array | None = None) -> Array:
    """float64 (*grid): a Gaussian filter, cut off at 3 SD, of a grid that is 0 almost everywhere.

    Each vote is spread along one axis after the other, which takes time in proportion to the votes.

    Parameters
    ----------
    votes
        float64 (*grid), contiguous; used up.
    sd
        In pixels.
    spare
        Another such grid to work in, used up as well.
    """
    radius = int(3.0 * sd + 0.5)
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sd) ** 2)
    weights /= weights.sum()
    spare = np.empty_like(votes) if spare is None else spare
    for axis, n in enumerate(votes.shape):
        shape = (-1, n, int(np.prod(votes.shape[axis + 1 :])))
        spare.fill(0.0)
        _spread(votes.reshape(shape), weights, spare.reshape(shape))
        votes, spare = spare, votes
    return votes


@kernel
def _spread(values: Array, weights: Array, out: Array) -> None:
    radius = len(weights) // 2
    lead, n, after = values.shape
    for i in range(lead):
        for j in range(n):
            first, last = max(j - radius, 0), min(j + radius, n - 1)
            for k in range(after):
                vote = values[i, j, k]
                if vote != 0.0:
                    for to in range(first, last + 1):
                        out[i, to, k] += vote * weights[to - j + radius]


def spread(numbers: Array, offsets: Array, shape: Sequence[int]) -> Array:
    """float64 (objects,): mean distance in pixels between where an object's pixels point and their mean."""
    flat = np.flatnonzero(numbers)
    own = numbers.ravel()[flat] - 1
    moved = np.stack(np.unravel_index(flat, tuple(shape)), 1) + offsets.reshape(len(shape), -1)[:, flat].T
    n = np.maximum(np.bincount(own), 1)
    mean = np.stack([np.bincount(own, weights=moved[:, a]) / n for a in range(moved.shape[1])], 1)
    return np.asarray(np.bincount(own, weights=np.linalg.norm(moved - mean[own], axis=1)) / n)
