"""Bodies and organs as ellipses and ellipsoids with edges that differ from subject to subject."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isocenter.ops.array import Array
from isocenter.simulate.noise import smooth


def coordinates(shape: Sequence[int], rng: np.random.Generator, *, bend: float = 0.0) -> Array:
    """Coordinates (n, *shape) from -1 to 1 along every axis, bent by a smooth random displacement of SD `bend`."""
    axes = [(np.arange(s) + 0.5) * 2.0 / s - 1.0 for s in shape]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"))
    if bend > 0:
        grain = max(shape) / 10
        grid = grid + bend * np.stack([smooth(shape, rng, grain=grain) for _ in shape])
    return grid


def ellipsoid(
    points: Array, centre: Sequence[float] | Array, radii: Sequence[float] | Array, *, turn: float = 0.0
) -> Array:
    """Boolean (*shape): points inside an ellipse or ellipsoid.

    Parameters
    ----------
    points
        (n, *shape) coordinates.
    centre, radii
        Per axis, in array order.
    turn
        Rotation within the last two axes, radians.
    """
    away = points - np.asarray(centre, float).reshape(-1, *[1] * (points.ndim - 1))
    if turn:
        y, x = away[-2].copy(), away[-1].copy()
        away[-2], away[-1] = np.cos(turn) * y - np.sin(turn) * x, np.sin(turn) * y + np.cos(turn) * x
    return np.asarray(sum((a / r) ** 2 for a, r in zip(away, radii, strict=True)) <= 1.0)
