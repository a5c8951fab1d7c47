"""Maps that were found in an image's own plane or box, in mm or pixels, as maps between worlds."""

from __future__ import annotations

import numpy as np

from isocenter.data.findings.transform import Linear, Part, Transform, dimension, to_world
from isocenter.data.geometry import Geometry
from isocenter.ops.array import Array


def coordinates(geometry: Geometry, indices: Array) -> Array:
    """Indices (n, axes) as lengths along the image's own axes, (x, y[, z]) in mm, or pixels where unknown."""
    return np.asarray((np.asarray(indices, float) * np.asarray(geometry.spacing or 1.0))[:, ::-1])


def worlds(geometry: Geometry, points: Array) -> Array:
    """World points (n, w) of such lengths (n, axes): what `coordinates` came from."""
    return to_world(geometry, points[:, ::-1] / np.asarray(geometry.spacing or 1.0))


def placed(geometry: Geometry) -> Array:
    """The matrix (w + 1, w + 1) from these coordinates to the world; a slice's third axis is its normal."""
    n, w = geometry.ndim, dimension(geometry)
    out = np.eye(w + 1)
    if geometry.matrix is None:
        return out
    out[:w, :n] = (geometry.matrix[:-1, :-1] / np.asarray(geometry.spacing))[:, ::-1]
    if n < w:
        normal = np.cross(out[:3, 0], out[:3, 1])
        out[:3, 2] = normal / np.linalg.norm(normal)
    out[:w, w] = geometry.matrix[:-1, -1]
    return out


def lifted(matrix: Array, rank: int) -> Array:
    """A matrix of the plane in a world of `rank` dimensions: what stands on the plane stays upright."""
    if len(matrix) == rank + 1:
        return matrix
    out = np.eye(rank + 1)
    kept = [0, 1, rank]
    out[np.ix_(kept, kept)] = matrix
    return out


def between(part: Part, fixed: Geometry, moving: Geometry, evidence: dict[str, float]) -> Transform:
    """The transform between two worlds of a map between the images' own coordinates.

    Raises
    ------
    GeometryError
        The matrix is singular.
    """
    before, after = np.linalg.inv(placed(fixed)), placed(moving)
    parts: tuple[Part, ...] = (Linear(before), part, Linear(after))
    if isinstance(part, Linear):
        matrix = after @ lifted(part.matrix, dimension(fixed)) @ before
        parts = (Linear(matrix / matrix[-1, -1]),)
    return Transform(parts, fixed, moving, tuple(evidence.items()))
