"""A label on the grid of its image: the refusal where it lies elsewhere, and the repair where the set allows it."""

from __future__ import annotations

import numpy as np

from isocenter.data import Geometry
from isocenter.data.agreement import apart
from isocenter.errors import GeometryError
from isocenter.ops.array import Array


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
    kind = apart(image, found).kind
    if kind not in ("moved", "shape") or (kind == "moved" and allowed):
        return labels
    if allowed and found.affine is not None and image.affine is not None:
        return resampled(labels, found, image)
    raise refusal(image, found, where)


def refusal(image: Geometry, label: Geometry, where: str) -> GeometryError:
    """What is wrong with two grids, and the repair that is offered."""
    found = apart(image, label)
    repair = 'or say "allow": {"geometry": "REASON"} in cases.json to'
    if found.kind != "shape":
        return GeometryError(
            "the label has its image's shape but lies elsewhere", where=where,
            got=f"{found.millimetres:.4g} mm apart at the farthest corner", wanted="at most 0.001 mm",
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
