"""Size and direction of the gradient, and Canny's edges, in 2D and 3D.

Source: Canny, A computational approach to edge detection, IEEE TPAMI 8 (1986) 679.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isocenter.ops.array import Array
from isocenter.ops.morphology import reconstruct_mask

# SD in pixels below which the sampled derivative of a Gaussian no longer gives a ramp its slope.
NARROWEST = 0.7


def gradient(values: Array, sd: float, spacing: Sequence[float]) -> Array:
    """Derivatives of a Gaussian along every axis.

    Parameters
    ----------
    values
        (*grid), finite.
    sd
        Of the Gaussian, in the unit of `spacing`; at least 0.7 pixels along every axis.
    spacing
        Per axis.

    Returns
    -------
    float32 (axes, *grid): change of value per unit of length; 0 along axes of one pixel.
    """
    from scipy import ndimage

    values = np.asarray(values, np.float32)
    sds = [max(sd / s, NARROWEST) for s in spacing]
    orders = np.eye(values.ndim, dtype=int)
    parts = [
        ndimage.gaussian_filter(values, sds, order=tuple(order), mode="nearest") / np.float32(s)
        for order, s in zip(orders, spacing, strict=True)
    ]
    return np.asarray(np.stack(parts))


def size(slopes: Array) -> Array:
    """Length of the gradient: float32 (*grid), at least 0.

    >>> size(np.array([[3.0], [4.0]])).tolist()
    [5.0]
    """
    return np.asarray(np.sqrt(np.square(slopes).sum(axis=0)))


def thinned(slopes: Array, spacing: Sequence[float], candidates: Array) -> Array:
    """The candidates that are no smaller than both neighbours along the gradient's direction: crests.

    Parameters
    ----------
    slopes
        (axes, *grid), as `gradient` gives them.
    spacing
        Per axis: the direction is that of space, the step is one pixel of the grid.
    candidates
        Boolean (*grid).

    Returns
    -------
    Boolean (*grid).
    """
    from scipy import ndimage

    length = size(slopes)
    at = np.argwhere(candidates & (length > 0)).T
    steps = slopes[(slice(None), *at)] / np.asarray(spacing, np.float32)[:, None]
    steps /= np.maximum(np.sqrt(np.square(steps).sum(axis=0)), np.finfo(np.float32).tiny)
    here = length[tuple(at)]
    ahead, behind = (
        ndimage.map_coordinates(length, at + sign * steps, order=1, mode="nearest") for sign in (1.0, -1.0)
    )
    # Interpolation may lift a flat crest by a rounding error.
    near = np.float32(1 - 1e-5) * np.maximum(ahead, behind)
    out = np.zeros(candidates.shape, bool)
    out[tuple(at)] = (here >= near) & (here > np.minimum(ahead, behind))
    return out


def canny(slopes: Array, spacing: Sequence[float], *, low: float, high: float) -> Array:
    """Crests of the gradient: all those above `high`, and those above `low` that are connected to one.

    Parameters
    ----------
    slopes
        (axes, *grid), as `gradient` gives them.
    spacing
        Per axis.
    low, high
        Sizes of the gradient.

    Returns
    -------
    Boolean (*grid): lines in 2D, surfaces in 3D, about one pixel thick.
    """
    length = size(slopes)
    weak = thinned(slopes, spacing, length >= low)
    return reconstruct_mask(weak & (length >= high), weak)
