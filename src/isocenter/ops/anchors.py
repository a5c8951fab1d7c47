"""Sizes of anchors that fit the boxes of a training set."""

from __future__ import annotations

import numpy as np

from isocenter.ops.array import Array

# Passes of k-means at most.
ROUNDS = 100


def agreement(sizes: Array, anchors: Array) -> Array:
    """float64 (n, k): IoU of boxes that share their centre, from sizes (n, axes) and anchors (k, axes) in pixels."""
    both = np.minimum(sizes[:, None], anchors[None]).prod(-1)
    return np.asarray(both / (sizes.prod(-1)[:, None] + anchors.prod(-1)[None] - both))


def fitted(sizes: Array, count: int) -> Array:
    """Anchors by k-means with 1 - IoU as distance.

    Source: Redmon and Farhadi, YOLO9000, CVPR 2017, section 2; the median of a cluster moves its anchor.

    Parameters
    ----------
    sizes
        (n, axes) extent of boxes in pixels, above 0; n at least 1.
    count
        Number of anchors.

    Returns
    -------
    float64 (count, axes), by rising area: the better of two starts, at quantiles of the area and at boxes as unlike
    each other as can be. Anchors that no box is nearest to stay where they started.

    >>> fitted(np.array([[10.0, 10.0]] * 3 + [[40.0, 20.0]] * 2), 2).tolist()
    [[10.0, 10.0], [40.0, 20.0]]
    """
    sizes = np.asarray(sizes, np.float64)
    order = np.argsort(sizes.prod(-1), kind="stable")
    even = order[((np.arange(count) + 0.5) * len(sizes) / count).astype(np.int64)]
    unlike = [int(order[len(order) // 2])]
    while len(unlike) < count:
        unlike.append(int(agreement(sizes, sizes[unlike]).max(1).argmin()))
    made = [_moved(sizes, sizes[start].copy()) for start in (even, unlike)]
    anchors = max(made, key=lambda a: float(agreement(sizes, a).max(1).mean()))
    return np.asarray(anchors[np.argsort(anchors.prod(-1), kind="stable")])


def _moved(sizes: Array, anchors: Array) -> Array:
    nearest = np.full(len(sizes), -1)
    for _ in range(ROUNDS):
        found = agreement(sizes, anchors).argmax(1)
        if np.array_equal(found, nearest):
            break
        nearest = found
        for k in np.unique(nearest):
            anchors[k] = np.median(sizes[nearest == k], axis=0)
    return anchors
