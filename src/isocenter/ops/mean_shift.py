"""Points gathered at the densest places."""

from __future__ import annotations

import numpy as np

from isocenter.ops.array import Array

# Rounds at most, and the step, as a share of the reach, below which a climber stands.
ROUNDS, STILL = 300, 1e-3


def mean_shift(points: Array, reach: float) -> Array:
    """Number of each point's cluster.

    Climbers start in every cell of a grid of `reach` that holds points and move to the mean of the points within
    `reach` until they stand. Of climbers that stand within `reach` of each other the one with the most points around it
    is a mode. A point belongs to the nearest mode.

    Source: Comaniciu and Meer, Mean shift, IEEE Trans. PAMI 24 (2002) 603, with a flat kernel.

    Parameters
    ----------
    points
        (n, axes).
    reach
        Radius of the kernel, above 0.

    Returns
    -------
    int64 (n,): from 0, the densest mode first.

    >>> mean_shift(np.array([[0.0], [1.0], [9.0], [0.5]]), 2.0).tolist()
    [0, 0, 1, 0]
    """
    from scipy.spatial import KDTree

    points = np.asarray(points, np.float64)
    if not len(points):
        return np.zeros(0, np.int64)
    tree = KDTree(points)
    climbers = np.unique(np.round(points / reach), axis=0) * reach
    climbers = points[tree.query(climbers)[1]]
    moving = np.ones(len(climbers), bool)
    crowd = np.zeros(len(climbers), np.int64)
    for _ in range(ROUNDS):
        at = np.flatnonzero(moving)
        if not len(at):
            break
        for i, near in zip(at, tree.query_ball_point(climbers[at], reach), strict=True):
            mean = points[near].mean(0)
            moving[i] = bool(np.linalg.norm(mean - climbers[i]) > STILL * reach)
            climbers[i], crowd[i] = mean, len(near)
    return np.asarray(KDTree(_modes(climbers, crowd, reach)).query(points)[1], np.int64)


def _modes(climbers: Array, crowd: Array, reach: float) -> Array:
    left = climbers[np.argsort(-crowd, kind="stable")]
    modes = []
    while len(left):
        modes.append(left[0])
        left = left[np.linalg.norm(left - left[0], axis=1) > reach]
    return np.asarray(modes)
