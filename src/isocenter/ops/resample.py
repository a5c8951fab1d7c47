"""Resampling between two grids of the same box, separable and keeping centres.

Grids of n and m pixels over one box: pixel j of the new grid has its centre at (j + 0.5) n / m - 0.5 on the old one, as
`Geometry.resampled` says. Beyond the edge the last pixel is repeated. When an axis shrinks the kernel is widened by the
factor, so that every old pixel counts (Turkowski, Filters for common resampling tasks, Graphics Gems, 1990).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from isocenter.ops.array import Array

# Pixels of one slab while labels are made: small enough for the cache of a laptop.
SLAB = 1 << 18


def resize(array: Array, shape: Sequence[int], *, order: int = 1) -> Array:
    """An array of channels on another grid of the same box.

    Parameters
    ----------
    array
        (c, *grid), numbers.
    shape
        New grid.
    order
        0 nearest (keeps the type), 1 linear, 3 cubic convolution (Keys, IEEE TASSP 1981; a = -0.5).

    Returns
    -------
    (c, *shape); float32 unless `order` is 0.

    >>> resize(np.array([[0.0, 4.0]]), (4,)).tolist()
    [[0.0, 1.0, 3.0, 4.0]]
    """
    if order == 0:
        for axis, n in enumerate(shape, start=1):
            if array.shape[axis] != n:
                array = np.take(array, nearest(array.shape[axis], n), axis=axis)
        return array
    axes = sorted(range(1, array.ndim), key=lambda axis: _turn(axis, shape[axis - 1] / array.shape[axis]))
    out = np.asarray(array, np.float32)
    for axis in axes:
        if out.shape[axis] != shape[axis - 1]:
            out = mix(out, axis, *taps(out.shape[axis], shape[axis - 1], order=order))
    return out


def _turn(axis: int, growth: float) -> tuple[float, int]:
    # Axes that shrink most go first, so that the others have less to do. The last axis is the slowest to gather along:
    # of equals it is the last to shrink and the first to grow.
    return growth, axis if growth < 1 else -axis


def nearest(old: int, new: int) -> Array:
    """Index (new,) of the old pixel that holds the centre of each new one."""
    return np.minimum(((np.arange(new) + 0.5) * old / new).astype(np.int64), old - 1)


def taps(old: int, new: int, *, order: int = 1) -> tuple[Array, Array]:
    """Which old pixels make each new one.

    Returns
    -------
    index
        (new, k) int64.
    weight
        (new, k) float32; each row sums to 1.
    """
    centre = (np.arange(new) + 0.5) * old / new - 0.5
    scale = max(old / new, 1.0)
    reach = (2.0 if order == 3 else 1.0) * scale
    position = (np.floor(centre - reach) + 1)[:, None] + np.arange(int(np.ceil(2 * reach)))
    away = np.abs(position - centre[:, None]) / scale
    weight = _cubic(away) if order == 3 else np.maximum(1.0 - away, 0.0)
    weight /= weight.sum(axis=1, keepdims=True)
    if scale > 1:
        weight = _centred(weight, position - centre[:, None], np.maximum(1.0 - away, 0.0))
    return np.clip(position, 0, old - 1).astype(np.int64), weight.astype(np.float32)


def _centred(weight: Array, offset: Array, shape: Array) -> Array:
    """Weights whose mean offset is 0; a widened kernel would otherwise move edges by some % of a pixel."""
    tilt = shape * offset / (shape * offset * offset).sum(axis=1, keepdims=True)
    weight = weight - (weight * offset).sum(axis=1, keepdims=True) * tilt
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def _cubic(x: Array) -> Array:
    near = (1.5 * x - 2.5) * x * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def mix(array: Array, axis: int, index: Array, weight: Array) -> Array:
    """The array with one axis replaced by weighted sums along it.

    Parameters
    ----------
    array
        float32.
    axis
        Which.
    index, weight
        As `taps` gives them.
    """
    column = (-1,) + (1,) * (array.ndim - 1 - axis % array.ndim)
    out = np.empty((*array.shape[:axis], len(index), *array.shape[axis + 1 :]), np.float32)
    part = np.empty_like(out)
    for k in range(index.shape[1]):
        # With an output and "clip" numpy gathers four times faster; no index is outside.
        np.take(array, index[:, k], axis=axis, out=part if k else out, mode="clip")
        np.multiply(part if k else out, weight[:, k].reshape(column), out=part if k else out)
        if k:
            out += part
    return out


def labels_from_scores(scores: Array, shape: Sequence[int]) -> Array:
    """Labels on a fine grid from scores on a coarse one, without the scores on the fine grid.

    Parameters
    ----------
    scores
        (c, *grid) logits or probabilities, linearly resampled.
    shape
        Grid of the labels.

    Returns
    -------
    uint8 (*shape): the channel of the highest score, the first on a tie.

    >>> labels_from_scores(np.array([[1.0, 0.0], [0.0, 1.0]]), (4,)).tolist()
    [0, 0, 1, 1]
    """
    return labels_from_slabs([np.asarray(scores, np.float32)], scores.shape[1:], shape)


def labels_from_slabs(slabs: Iterable[Array], coarse: Sequence[int], shape: Sequence[int]) -> Array:
    """As `labels_from_scores`, from scores that arrive in slabs along the first axis of the grid.

    Parameters
    ----------
    slabs
        float32 (c, rows, *rest) in order; together (c, *coarse). Rows are dropped as soon as no label needs them.
    coarse, shape
        Grid of the scores, and of the labels.
    """
    index, weight = taps(coarse[0], shape[0])
    if coarse[0] == shape[0]:
        index, weight = np.arange(shape[0])[:, None], np.ones((shape[0], 1), np.float32)
    last = index.max(axis=1)
    labels = np.empty(tuple(shape), np.uint8)
    held: Array | None = None
    first = done = 0
    for slab in slabs:
        held = slab if held is None or not held.shape[1] else np.concatenate([held, slab], axis=1)
        ready = int(np.searchsorted(last, first + held.shape[1]))
        step = max(1, SLAB // max(1, int(np.prod(shape[1:]))))
        for start in range(done, ready, step):
            stop = min(start + step, ready)
            labels[start:stop] = _labels(held, index[start:stop] - first, weight[start:stop], shape[1:])
        done = ready
        unneeded = (int(index[done:].min()) if done < shape[0] else coarse[0]) - first
        held, first = held[:, unneeded:], first + unneeded
    return labels


def _labels(held: Array, index: Array, weight: Array, rest: Sequence[int]) -> Array:
    # One class at a time: what is worked on stays in the cache.
    rows = (resize(mix(scores[None], 1, index, weight), (len(index), *rest))[0] for scores in held)
    return winner(rows)


def winner(scores: Iterable[Array]) -> Array:
    """uint8 (*grid): which of up to 255 scores (*grid) is highest, the first on a tie.

    >>> winner(np.array([[0.0, 1.0], [2.0, 1.0]])).tolist()
    [1, 0]
    """
    parts = iter(scores)
    best = next(parts).copy()
    labels = np.zeros(best.shape, np.uint8)
    for i, part in enumerate(parts, start=1):
        # The number of a later winner is larger than that of every earlier one.
        np.maximum(labels, (part > best).view(np.uint8) * np.uint8(i), out=labels)
        np.maximum(best, part, out=best)
    return labels
