"""Boxes as low and high edges per axis, 2D and 3D: overlap, suppression, clipping."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isocenter.errors import InputError
from isocenter.ops.array import Array


def area(edges: Array) -> Array:
    """Area of each box (volume in 3D) in pixels: float64 (n,) from edges (n, 2, axes)."""
    return np.asarray(np.prod(edges[:, 1] - edges[:, 0], axis=1))


def centres(edges: Array) -> Array:
    """Centre of each box in pixel indices: float64 (n, axes) from edges (n, 2, axes)."""
    return np.asarray((edges[:, 0] + edges[:, 1]) / 2)


def shared(a: Array, b: Array) -> Array:
    """Area that boxes share: float64 (n, m).

    Parameters
    ----------
    a, b
        Edges (n, 2, axes) and (m, 2, axes).

    Raises
    ------
    InputError
        They differ in the number of axes.
    """
    if a.ndim != 3 or b.ndim != 3 or a.shape[1:] != b.shape[1:]:
        raise InputError("boxes do not fit", got=f"{a.shape} and {b.shape}", wanted="(n, 2, axes) and (m, 2, axes)")
    out = np.ones((len(a), len(b)))
    # One axis after the other, so that nothing larger than the result is held.
    for axis in range(a.shape[2]):
        low = np.maximum(a[:, None, 0, axis], b[None, :, 0, axis])
        high = np.minimum(a[:, None, 1, axis], b[None, :, 1, axis])
        out *= np.maximum(high - low, 0.0)
    return out


def iou(a: Array, b: Array) -> Array:
    """Intersection over union of boxes: float64 (n, m) in [0, 1].

    Source: Jaccard, New Phytologist 1912; Everingham et al., IJCV 2010.

    Parameters
    ----------
    a, b
        Edges (n, 2, axes) and (m, 2, axes), each with an extent.

    Raises
    ------
    InputError
        They differ in the number of axes.

    >>> iou(np.array([[[0.0, 0.0], [2.0, 2.0]]]), np.array([[[0.0, 0.0], [2.0, 1.0]]])).tolist()
    [[0.5]]
    """
    both = shared(a, b)
    return np.asarray(both / (area(a)[:, None] + area(b)[None, :] - both))


def covered(a: Array, b: Array) -> Array:
    """Share of each box of `a` that lies in each box of `b`: float64 (n, m); arguments and errors as in `iou`."""
    return np.asarray(shared(a, b) / area(a)[:, None])


def clip(edges: Array, shape: Sequence[int]) -> Array:
    """Edges (n, 2, axes) moved into the image, whose pixels reach from -0.5 to n - 0.5 on each axis.

    A box that lies outside has no extent afterwards: ``area(clip(edges, shape)) > 0`` tells which remain.
    """
    return np.asarray(np.clip(edges, -0.5, np.asarray(shape, np.float64) - 0.5))


def nms(edges: Array, scores: Array, labels: Array | None = None, *, limit: float = 0.5) -> Array:
    """Greedy non-maximum suppression: the surest box stays and removes those that overlap it too much.

    Source: Felzenszwalb et al., PAMI 2010, section 5.

    Parameters
    ----------
    edges
        (n, 2, axes).
    scores
        (n,); where they are equal, the earlier box is the surer.
    labels
        (n,) class of each box, so that boxes remove their own class alone; None: one class.
    limit
        IoU above which a box is removed, 0 to 1.

    Returns
    -------
    int64 (k,): positions of the boxes that stay, by falling score.

    Raises
    ------
    InputError
        Edges, scores and labels differ in number.
    """
    _alike(edges, scores, labels)
    left = np.argsort(-np.asarray(scores, np.float64), kind="stable")
    kept: list[int] = []
    while len(left):
        first, left = int(left[0]), left[1:]
        kept.append(first)
        near = iou(edges[first : first + 1], edges[left])[0] > limit
        if labels is not None:
            near &= labels[left] == labels[first]
        left = left[~near]
    return np.asarray(kept, np.int64)


def soft_nms(
    edges: Array, scores: Array, labels: Array | None = None, *, sigma: float = 0.5, least: float = 0.001
) -> tuple[Array, Array]:
    """Soft non-maximum suppression: a box next to a surer one loses score by exp(-IoU^2 / sigma) instead of its place.

    Source: Bodla et al., Soft-NMS, ICCV 2017 (Gaussian form).

    Parameters
    ----------
    edges, scores, labels
        As in `nms`.
    sigma
        Width of the loss; larger forgives less. Above 0.
    least
        Boxes whose score has fallen below are dropped.

    Returns
    -------
    positions
        int64 (k,) of the boxes that stay, by falling new score.
    scores
        float64 (k,): their new scores.

    Raises
    ------
    InputError
        Edges, scores and labels differ in number.
    """
    _alike(edges, scores, labels)
    left, current = np.arange(len(edges)), np.array(scores, np.float64)
    kept: list[int] = []
    while len(left):
        at = int(np.argmax(current[left]))
        first, left = int(left[at]), np.delete(left, at)
        if current[first] < least:
            break
        kept.append(first)
        loss = np.exp(-(iou(edges[first : first + 1], edges[left])[0] ** 2) / sigma)
        current[left] *= loss if labels is None else np.where(labels[left] == labels[first], loss, 1.0)
    positions = np.asarray(kept, np.int64)
    return positions, current[positions]


def _alike(edges: Array, scores: Array, labels: Array | None) -> None:
    n = len(edges)
    if scores.shape != (n,) or (labels is not None and labels.shape != (n,)):
        raise InputError("boxes, scores and labels differ in number", wanted=f"({n},)",
                         got=f"{scores.shape}{'' if labels is None else f' and {labels.shape}'}")
