"""How tissue is stretched between its points: deformation gradients, Green-Lagrange strain, strain along a line."""

from __future__ import annotations

import numpy as np

from isocenter.ops.array import Array

# Of the smallest to the largest extent of a set of points, below which they lie on a line (or in a plane).
THIN = 1e-6


def gradient(before: Array, after: Array) -> Array | None:
    """The deformation gradient F that carries points best from one frame to another, by least squares.

    ``after - mean(after) ~ F (before - mean(before))``: the rows are the place now, the columns the place before.

    Parameters
    ----------
    before, after
        float64 (n, axes) in one unit of length.

    Returns
    -------
    float64 (axes, axes); None where the points do not span all axes.

    >>> corner = np.array([[0.0, 0], [1, 0], [0, 1]])
    >>> np.allclose(gradient(corner, corner * [1.5, 0.5]), np.diag([1.5, 0.5]))
    True
    """
    if len(before) <= before.shape[1]:
        return None
    a, b = before - before.mean(axis=0), after - after.mean(axis=0)
    spread = np.linalg.svd(a, compute_uv=False)
    if not spread[-1] > THIN * spread[0]:
        return None
    return np.asarray(np.linalg.lstsq(a, b, rcond=None)[0].T)


def gradients(before: Array, after: Array, reach: float) -> Array:
    """The deformation gradient about each point, from the points within reach of it in the first frame.

    Returns
    -------
    float64 (n, axes, axes); NaN where too few points lie about one.
    """
    from scipy.spatial import cKDTree

    axes = before.shape[1]
    out = np.full((len(before), axes, axes), np.nan)
    if len(before):
        for i, near in enumerate(cKDTree(before).query_ball_point(before, reach)):
            found = gradient(before[near], after[near])
            if found is not None:
                out[i] = found
    return out


def green_lagrange(gradient: Array) -> Array:
    """Green-Lagrange strain E = (F^T F - 1) / 2 of deformation gradients (..., axes, axes); 0 for a rigid motion.

    Source: Holzapfel, Nonlinear Solid Mechanics, 2000, eq. 2.69.

    >>> green_lagrange(np.array([[1.2, 0.0], [0.0, 1.0]])).round(2).tolist()
    [[0.22, 0.0], [0.0, 0.0]]
    """
    square = np.swapaxes(gradient, -1, -2) @ gradient
    return np.asarray((square - np.eye(gradient.shape[-1])) / 2)


def principal(strain: Array) -> Array:
    """Principal strains (..., axes) of symmetric tensors, the greatest first."""
    return np.asarray(np.linalg.eigvalsh(strain)[..., ::-1])


def line_strain(before: Array, after: Array) -> float:
    """Engineering (Lagrangian) strain of a line through points: change of its length by its length before.

    Source: Voigt et al., Definitions for a common standard for 2D speckle tracking echocardiography, European Heart
    Journal Cardiovascular Imaging 16 (2015) 1.

    Parameters
    ----------
    before, after
        float64 (n, axes): the points in their order, 2 and more.

    >>> line_strain(np.array([[0.0, 0], [0, 2]]), np.array([[1.0, 1], [1, 2.5]]))
    -0.25
    """
    length, now = (float(np.linalg.norm(np.diff(p, axis=0), axis=1).sum()) for p in (before, after))
    return (now - length) / length if length > 0 else float("nan")


def carried(before: Array, after: Array, points: Array, nearest: int = 8) -> Array:
    """Where other points go with those that are known: by the best affine map of the nearest ones of each.

    Parameters
    ----------
    before, after
        float64 (n, axes): known points.
    points
        float64 (m, axes): in the first frame.
    nearest
        How many known points each goes with.

    Returns
    -------
    float64 (m, axes); NaN where the known points do not span all axes.
    """
    from scipy.spatial import cKDTree

    out = np.full(points.shape, np.nan)
    if not len(before):
        return out
    count = min(nearest, len(before))
    _, near = cKDTree(before).query(points, k=count)
    for i, which in enumerate(np.asarray(near).reshape(len(points), count)):
        found = gradient(before[which], after[which])
        if found is not None:
            out[i] = after[which].mean(axis=0) + found @ (points[i] - before[which].mean(axis=0))
    return out
