"""Which pixel belongs to what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isocenter.data.geometry import Geometry
from isocenter.errors import LabelError, NotFoundError, nearest
from isocenter.ops.array import Array

IGNORE = 255


@dataclass(frozen=True, eq=False)
class Segmentation:
    """A named label map.

    Parameters
    ----------
    labels
        uint8 array on the grid of `geometry`; value i is ``names[i]``; 255 (`IGNORE`) takes part in nothing.
    names
        Region names by value; ``names[0]`` is ``"background"``.
    geometry
        Of the grid.
    scores
        Optional soft scores (len(names), *grid), float, that sum to 1 over the first axis.

    Raises
    ------
    LabelError
        A value has no name, the shape is not that of the grid, or there are more than 255 names.
    """

    labels: Array
    names: tuple[str, ...]
    geometry: Geometry
    scores: Array | None = None

    def __post_init__(self) -> None:
        if self.labels.shape != self.geometry.shape:
            raise LabelError("labels lie on another grid", got=str(self.labels.shape), wanted=str(self.geometry.shape))
        if self.labels.dtype != np.uint8 or len(self.names) > IGNORE:
            raise LabelError("labels must be uint8", got=f"{self.labels.dtype}, {len(self.names)} names")
        top = int(np.where(self.labels == IGNORE, 0, self.labels).max(initial=0))
        if top >= len(self.names):
            raise LabelError("a label has no name", got=str(top), wanted=f"0 to {len(self.names) - 1}")

    @property
    def regions(self) -> tuple[str, ...]:
        """Region names without background."""
        return self.names[1:]

    def mask(self, name: str) -> Array:
        """Boolean array of one region; NotFoundError names the regions there are."""
        if name not in self.names:
            raise NotFoundError(f"no region {name!r}", remedy=nearest(name, self.names))
        return np.asarray(self.labels == self.names.index(name))

    def volume_ml(self, name: str) -> float | None:
        """Volume of a region in millilitres; None when the spacing is unknown or the grid is 2D."""
        pixel = self.geometry.pixel_volume
        return None if pixel is None or self.geometry.ndim != 3 else float(self.mask(name).sum()) * pixel / 1000.0

    def area_mm2(self, name: str) -> float | None:
        """Area of a region in square millimetres; None when the spacing is unknown or the grid is 3D."""
        pixel = self.geometry.pixel_volume
        return None if pixel is None or self.geometry.ndim != 2 else float(self.mask(name).sum()) * pixel
