"""Which pixels an answer rests on."""

from __future__ import annotations

from dataclasses import dataclass

from isocenter.data.geometry import Geometry
from isocenter.errors import LabelError
from isocenter.ops.array import Array


@dataclass(frozen=True, eq=False)
class Attribution:
    """A number per pixel: how much it speaks for (positive) or against (negative) a target.

    Parameters
    ----------
    values
        float32 array on the grid of `geometry`.
    geometry
        Of the case's own grid.
    target
        The class explained.
    method
        Such as ``"grad-cam"`` or ``"integrated-gradients"``.
    completeness
        integrated gradients: \\|sum of attributions - (answer - baseline answer)\\| / \\|answer - baseline answer\\|.
    """

    values: Array
    geometry: Geometry
    target: str
    method: str
    completeness: float | None = None

    def __post_init__(self) -> None:
        if self.values.shape != self.geometry.shape:
            raise LabelError(
                "the map lies on another grid", got=str(self.values.shape), wanted=str(self.geometry.shape)
            )
