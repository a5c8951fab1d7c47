"""Which pixels an answer rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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
    checks
        What was measured on the map, as `isocenter.metrics.faithfulness.checked` names it; empty when nothing was.
    """

    values: Array
    geometry: Geometry
    target: str
    method: str
    completeness: float | None = None
    checks: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.values.shape != self.geometry.shape:
            raise LabelError(
                "the map lies on another grid", got=str(self.values.shape), wanted=str(self.geometry.shape)
            )
