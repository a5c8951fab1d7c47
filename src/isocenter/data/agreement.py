"""How far two grids that should be one lie apart: a label and its image, two observers, two channels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isocenter.data.geometry import Geometry

# mm at the farthest corner: below the first a difference is rounding; below the second, as a share of the smallest
# spacing, it moves no pixel.
ROUNDING, HARMLESS = 1e-3, 0.05


@dataclass(frozen=True)
class Offset:
    """How two grids differ.

    Parameters
    ----------
    kind
        ``"none"``, ``"rounding"`` (at most 0.001 mm), ``"harmless"`` (no pixel moves), ``"moved"`` or ``"shape"``.
    millimetres
        Largest distance of corners that should coincide; None where that cannot be said.
    """

    kind: str
    millimetres: float | None = None


def apart(one: Geometry, other: Geometry) -> Offset:
    """How another grid differs from one; a grid of unknown spacing agrees with any of its shape.

    >>> a = Geometry.from_spacing((4, 5), (1.0, 1.0))
    >>> apart(a, Geometry.from_spacing((4, 5), (1.0, 1.0), origin=(0.0, 2.0)))
    Offset(kind='moved', millimetres=2.0)
    """
    if one.shape != other.shape:
        return Offset("shape")
    if one.affine is None or other.affine is None or len(one.affine) != len(other.affine):
        return Offset("none")
    corners = np.stack(np.meshgrid(*[(0, s - 1) for s in one.shape], indexing="ij"), -1).reshape(-1, one.ndim)
    distance = float(np.linalg.norm(one.to_world(corners) - other.to_world(corners), axis=1).max())
    if distance == 0:
        return Offset("none", 0.0)
    if distance <= ROUNDING:
        return Offset("rounding", distance)
    return Offset("harmless" if distance <= HARMLESS * min(one.spacing or (1.0,)) else "moved", distance)
