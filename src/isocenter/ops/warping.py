"""Pixels at fractional places, and how a map of a grid stretches and folds it."""

from __future__ import annotations

import numpy as np

from isocenter.ops.array import Array


def sampled(array: Array, places: Array, *, order: int = 1, outside: float | None = 0.0) -> Array:
    """Values of an array at fractional indices.

    Parameters
    ----------
    array
        (*grid) or (c, *grid).
    places
        (*shape, axes): index per axis in array order; NaN is outside.
    order
        0 nearest (keeps the type), 1 linear, 3 cubic B-spline.
    outside
        Value beyond the outermost pixel centres by more than half a pixel; None: the nearest pixel's.

    Returns
    -------
    (*shape) or (c, *shape); float32 unless `order` is 0.

    >>> sampled(np.array([[0.0, 4.0]]), np.array([[0.0, 0.25], [0.0, 3.0]]), outside=-1).tolist()
    [1.0, -1.0]
    """
    from scipy import ndimage

    axes = places.shape[-1]
    grid = np.asarray(array.shape[-axes:])
    at = np.moveaxis(places, -1, 0)
    lost = ~np.isfinite(at).all(axis=0)
    if outside is not None:
        limit = grid.reshape(-1, *[1] * (at.ndim - 1)) - 0.5
        with np.errstate(invalid="ignore"):
            lost |= ((at < -0.5) | (at > limit)).any(axis=0)
    at = np.nan_to_num(at, nan=0.0, posinf=0.0, neginf=0.0)
    channels = array[None] if array.ndim == axes else array
    kind = array.dtype if order == 0 else np.dtype(np.float32)
    out = np.empty((len(channels), *at.shape[1:]), kind)
    for channel, part in zip(channels, out, strict=True):
        source = channel if order == 0 else channel.astype(np.float32)
        ndimage.map_coordinates(source, at, output=part, order=order, mode="nearest")
        part[lost] = 0.0 if outside is None else outside
    return out[0] if array.ndim == axes else out


def determinants(places: Array) -> Array:
    """Jacobian determinant of a map of a grid, by central differences inside and one-sided ones at the edge.

    Parameters
    ----------
    places
        (*grid, axes): where each grid point goes, in the same units and order as the grid's indices.

    Returns
    -------
    float64 (*grid): 1 where the map keeps size, <= 0 where it folds; 0 along an axis of a single pixel counts as 1.

    >>> determinants(np.stack(np.meshgrid(2.0 * np.arange(3), 3.0 * np.arange(4), indexing="ij"), -1))[1, 1].item()
    6.0
    """
    n = places.shape[-1]
    jacobian = np.zeros((*places.shape[:-1], n, n))
    for axis in range(n):
        if places.shape[axis] > 1:
            jacobian[..., axis] = np.gradient(places, axis=axis)
        else:
            jacobian[..., axis, axis] = 1.0
    return np.asarray(np.linalg.det(jacobian))


def grid_points(shape: tuple[int, ...], most: int | None = None) -> Array:
    """Indices (*n, axes) of a grid in array order: every pixel, or at most `most` evenly spaced ones per axis."""
    axes = [np.arange(s, dtype=float) if most is None or s <= most else np.linspace(0, s - 1, most) for s in shape]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
