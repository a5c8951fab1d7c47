"""A label and its image: do they lie on one grid, how far are they apart, and the repair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isocenter.data import Geometry
from isocenter.errors import GeometryError
from isocenter.ops.array import Array

# mm at the farthest corner: below the first a difference is rounding; below the second, as a share of the smallest
# spacing, it moves no pixel, so the label is used and the difference is reported.
ROUNDING, HARMLESS = 1e-3, 0.05


@dataclass(frozen=True)
class Offset:
    """How two grids differ.

    Parameters
    ----------
    kind
        ``"none"``, ``"rounding"`` (less than 0.001 mm), ``"harmless"`` (no pixel moves), ``"moved"`` or ``"shape"``.
    millimetres
        Largest distance of corners that should coincide; None where that cannot be said.
    """

    kind: str
    millimetres: float | None = None


def offset(image: Geometry, label: Geometry) -> Offset:
    """How a label's grid differs from its image's; a grid of unknown spacing agrees with any of its shape."""
    if image.shape != label.shape:
        return Offset("shape")
    if image.affine is None or label.affine is None or len(image.affine) != len(label.affine):
        return Offset("none")
    corners = np.stack(np.meshgrid(*[(0, s - 1) for s in image.shape], indexing="ij"), -1).reshape(-1, image.ndim)
    apart = float(np.linalg.norm(image.to_world(corners) - label.to_world(corners), axis=1).max())
    if apart == 0:
        return Offset("none", 0.0)
    if apart <= ROUNDING:
        return Offset("rounding", apart)
    return Offset("harmless" if apart <= HARMLESS * min(image.spacing or (1.0,)) else "moved", apart)


def aligned(labels: Array, found: Geometry, image: Geometry, *, where: str, allowed: bool = False) -> Array:
    """The label on its image's grid.

    Parameters
    ----------
    labels
        uint8, 0 background, on the grid `found`.
    found, image
        The label's grid, and its image's.
    allowed
        The set allows the repair (``"allow": {"geometry": REASON}``): a moved header is taken from the image, another
        shape is resampled by nearest neighbour.

    Raises
    ------
    GeometryError
        The grids differ and the repair is not allowed, or not possible.
    """
    apart = offset(image, found)
    if apart.kind not in ("moved", "shape") or (apart.kind == "moved" and allowed):
        return labels
    if allowed and found.affine is not None and image.affine is not None:
        return resampled(labels, found, image)
    raise refusal(image, found, where)


def refusal(image: Geometry, label: Geometry, where: str) -> GeometryError:
    """What is wrong with two grids, and the repair that is offered."""
    apart = offset(image, label)
    repair = 'or say "allow": {"geometry": "REASON"} in cases.json to'
    if apart.kind != "shape":
        return GeometryError(
            "the label has its image's shape but lies elsewhere", where=where,
            got=f"{apart.millimetres:.4g} mm apart at the farthest corner", wanted="at most 0.001 mm",
            remedy=f"If the pixels do line up, copy the image's header to the label, {repair} take the image's",
        )
    possible = image.affine is not None and label.affine is not None
    turned = label.shape == image.shape[::-1]
    return GeometryError(
        "the label lies on another grid than its image" + (", the axes look exchanged" if turned else ""), where=where,
        got=f"label {_grid(label)}", wanted=_grid(image),
        remedy=f"Resample the label to the image by nearest neighbour, {repair} have it done"
        if possible else "Export the label at the image's size; without positions it cannot be resampled safely",
    )


def resampled(labels: Array, found: Geometry, image: Geometry) -> Array:
    """Labels by nearest neighbour on another grid, background (0) where they do not reach."""
    from scipy import ndimage

    source, target = found.matrix, image.matrix
    if source is None or target is None or source.shape != target.shape:
        raise GeometryError("the two grids have no common space", got=f"{found.shape} and {image.shape}")
    n = image.ndim
    turn = np.linalg.pinv(source[:-1, :-1]) @ target[:-1, :-1]
    shift = np.linalg.pinv(source[:-1, :-1]) @ (target[:-1, -1] - source[:-1, -1])
    out: Array = ndimage.affine_transform(labels, turn[:n, :n], shift[:n], output_shape=image.shape, order=0)
    return out


def _grid(geometry: Geometry) -> str:
    size = " x ".join(map(str, geometry.shape))
    return size + (f" at {' x '.join(f'{s:.3g}' for s in geometry.spacing)} mm" if geometry.spacing else "")
