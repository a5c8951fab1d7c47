"""Regions of interest: which features they see, and how their masks come back to the image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isocenter.ops.array import Array

# Cells of its level that a region spans at least, where a finer level could have it (Lin et al., Feature pyramid
# networks, CVPR 2017, equation 1: 224 px belong to stride 16, which is 14 cells; a half of that belongs to stride 8).
CELLS = 14.0


def level(edges: Array, strides: Sequence[int]) -> Array:
    """Level of the pyramid at which each region is looked up: int64 (n,).

    Parameters
    ----------
    edges
        (n, 2, axes) in pixels.
    strides
        Pixels per cell of each level, rising by factors of 2.

    >>> level(np.array([[[0.0, 0.0], [20.0, 20.0]], [[0.0, 0.0], [160.0, 160.0]]]), (4, 8, 16)).tolist()
    [0, 1]
    """
    side = np.exp(np.log(np.maximum(edges[:, 1] - edges[:, 0], 1e-3)).mean(1))
    found = np.floor(np.log2(side / (CELLS * strides[0])) + 1e-9)
    return np.asarray(np.clip(found, 0, len(strides) - 1).astype(np.int64))


def positions(low: Array, high: Array, *, size: int, samples: int) -> Array:
    """float64 (n, size * samples): evenly spread positions along one axis of regions, in pixels.

    Parameters
    ----------
    low, high
        (n,) edges; pixel i covers [i - 0.5, i + 0.5].
    size, samples
        Bins along the axis, and positions in each.
    """
    share = (np.arange(size * samples) + 0.5) / (size * samples)
    return np.asarray(low[:, None] + (high - low)[:, None] * share)


def align(features: Array, edges: Array, *, size: int, stride: int, samples: int = 2) -> Array:
    """RoI align: features of each region on a grid of its own, by linear interpolation, without any rounding of edges.

    Source: He et al., Mask R-CNN, ICCV 2017, section 3. Positions beyond the grid take the values of its border.

    Parameters
    ----------
    features
        float32 (c, height, width), one cell every `stride` pixels.
    edges
        (n, 2, 2) in pixels of the image.
    size
        Bins along each axis.
    stride
        Pixels per cell.
    samples
        Positions along each axis of a bin, whose mean it is.

    Returns
    -------
    float32 (n, c, size, size).
    """
    out = np.empty((len(edges), len(features), size, size), np.float32)
    axes = []
    for axis, cells in enumerate(features.shape[1:]):
        pixels = positions(edges[:, 0, axis], edges[:, 1, axis], size=size, samples=samples)
        axes.append(_weights(pixels, cells, size=size, stride=stride))
    # The mean of linear samples on a regular grid is one matrix an axis.
    for i, ((top, rows), (left, columns)) in enumerate(zip(*axes, strict=True)):
        cut = features[:, top : top + rows.shape[1], left : left + columns.shape[1]]
        out[i] = np.matmul(np.matmul(rows, cut), columns.T)
    return out


def _weights(pixels: Array, cells: int, *, size: int, stride: int) -> list[tuple[int, Array]]:
    """For each region the first cell that it touches, and float32 (size, touched): the share of each in each bin."""
    at = np.clip((pixels + 0.5) / stride - 0.5, 0, cells - 1)
    lower = np.minimum(np.floor(at).astype(np.int64), max(cells - 2, 0))
    share = at - lower
    samples = pixels.shape[1] // size
    bins = np.repeat(np.arange(size), samples)
    out = []
    for low, part in zip(lower, share, strict=True):
        first = int(low[0])
        weights = np.zeros((size, min(int(low[-1]) + 2, cells) - first))
        np.add.at(weights, (bins, low - first), (1 - part) / samples)
        if cells > 1:
            np.add.at(weights, (bins, low - first + 1), part / samples)
        out.append((first, weights.astype(np.float32)))
    return out


def pooled(maps: Sequence[Array], edges: Array, *, size: int, strides: Sequence[int], samples: int = 2) -> Array:
    """`align` of each region at the level of the pyramid that fits its size.

    Parameters
    ----------
    maps
        float32 (c, height, width) of each level.
    edges
        (n, 2, 2) in pixels of the image.
    size, samples
        As in `align`.
    strides
        Pixels per cell of each level.

    Returns
    -------
    float32 (n, c, size, size).
    """
    out = np.empty((len(edges), len(maps[0]), size, size), np.float32)
    at = level(edges, strides)
    for i, (features, stride) in enumerate(zip(maps, strides, strict=True)):
        here = np.flatnonzero(at == i)
        out[here] = align(features, edges[here], size=size, stride=stride, samples=samples)
    return out


def pasted(masks: Array, edges: Array, shape: Sequence[int], *, limit: float = 0.5) -> tuple[Array, list[Array]]:
    """Masks of regions brought back to the pixels of the image.

    Parameters
    ----------
    masks
        (n, size, size): probability of each bin.
    edges
        (n, 2, 2) in pixels of the image, each with an extent.
    shape
        Of the image; what lies outside is cut off.
    limit
        Least probability, linearly interpolated between the centres of bins, of a pixel that belongs to the object.

    Returns
    -------
    starts
        int64 (n, 2): first pixel of each crop.
    crops
        n bool arrays; an object of no pixel has an empty one.
    """
    low = np.maximum(np.ceil(edges[:, 0]), 0).astype(np.int64)
    high = np.minimum(np.floor(edges[:, 1]), np.asarray(shape) - 1).astype(np.int64)
    crops: list[Array] = []
    for mask, box, first, last in zip(masks, edges, low, high, strict=True):
        rows, columns = (_linear(int(first[a]), int(last[a]), box[:, a], mask.shape[a]) for a in (0, 1))
        # A hair below the limit counts: the order of the sums is not the same everywhere.
        inside = rows @ mask.astype(np.float64) @ columns.T >= limit - 1e-9
        crops.append(inside if inside.any() else inside[:0, :0])
    return low, crops


def _linear(first: int, last: int, box: Array, size: int) -> Array:
    """float64 (pixels, size): the share of each bin of one axis in each pixel from `first` to `last`."""
    pixels = np.arange(first, last + 1)
    at = np.clip((pixels - box[0]) / (box[1] - box[0]) * size - 0.5, 0, size - 1)
    return np.asarray(np.maximum(1 - np.abs(at[:, None] - np.arange(size)), 0))
