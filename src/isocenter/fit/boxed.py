"""Boxes that go with a sampled patch."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from isocenter.fit.augment import Pose
from isocenter.ops.array import Array

# Classes of rows that stand for no class: padding, and boxes that are neither to be found nor wrong to find.
PADDING, LEFT_OUT = -1, -2
# Share of a box that must be seen for it to be learnt; what is seen less is left out, what is hardly seen is dropped.
SEEN, HARDLY = 0.3, 0.05
# A box this near the image's edge is taken to be cut by it, in pixels; and the shortest side that is still a box.
TOUCHING, SHORTEST = 1.0, 2.0


def posed(rows: Array, pose: Pose, patch: Sequence[int], grid: Sequence[int]) -> Array:
    """The boxes that a patch shows.

    Beyond the image's edge the patch shows the image mirrored, and so it does the boxes; a box that is cut by the edge
    becomes one with its mirror image. A turned or sheared box becomes the box around it.

    Parameters
    ----------
    rows
        float32 (m, 2 rank + 1): low edges, high edges in pixels of the image, class.
    pose
        Of the patch; its warp is not followed.
    patch, grid
        Pixels of patch and image per axis.

    Returns
    -------
    float32 (k, 2 rank + 1) in pixels of the patch; the class of boxes that are seen too little is -2.
    """
    rank = len(patch)
    copies = _mirrored(rows, grid)
    corners = np.stack([copies[:, [a + rank * b for a, b in enumerate(pick)]] for pick in _corners(rank)], 1)
    inside = (corners - pose.centre) @ np.linalg.inv(pose.matrix).T + (np.asarray(patch) - 1) / 2
    low, high = inside.min(1), inside.max(1)
    bound = np.asarray(patch, float) - 0.5
    cut_low, cut_high = np.clip(low, -0.5, bound), np.clip(high, -0.5, bound)
    share = (cut_high - cut_low).prod(1) / np.maximum((high - low).prod(1), 1e-9)
    kinds = np.where(share >= SEEN, copies[:, -1], LEFT_OUT)
    kept = (share > HARDLY) & ((cut_high - cut_low) >= SHORTEST).all(1)
    return np.asarray(np.concatenate((cut_low, cut_high, kinds[:, None]), 1)[kept], np.float32)


def _corners(rank: int) -> list[tuple[int, ...]]:
    return list(itertools.product((0, 1), repeat=rank))


def _mirrored(rows: Array, grid: Sequence[int]) -> Array:
    """The boxes and their mirror images about every edge and corner of the image."""
    rank = len(grid)
    out = rows.astype(np.float64)
    for axis, n in enumerate(grid):
        low, high = out[:, axis], out[:, rank + axis]
        at_low, at_high = low < -0.5 + TOUCHING, high > n - 0.5 - TOUCHING
        below, above = out[~at_low].copy(), out[~at_high].copy()
        below[:, axis], below[:, rank + axis] = -1 - high[~at_low], -1 - low[~at_low]
        above[:, axis], above[:, rank + axis] = 2 * n - 1 - high[~at_high], 2 * n - 1 - low[~at_high]
        whole = out.copy()
        whole[:, axis] = np.where(at_low, -1 - high, low)
        whole[:, rank + axis] = np.where(at_high, 2 * n - 1 - low, high)
        out = np.concatenate((whole, below, above))
    return out


def padded_rows(targets: Sequence[Array]) -> Array:
    """float32 (n, m, 2 rank + 1): the boxes of a batch, filled up with class -1 to the longest."""
    longest = max(1, *(len(t) for t in targets))
    out = np.zeros((len(targets), longest, targets[0].shape[1]), np.float32)
    out[:, :, -1] = PADDING
    for i, rows in enumerate(targets):
        out[i, : len(rows)] = rows
    return out
