"""The fitted network of this question that answers pixel by pixel; torch is not needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from isocenter.data import Case, Instances, NotEvaluated, Opened
from isocenter.infer.contouring import contour
from isocenter.ops.array import Array
from isocenter.tasks._network import accepted, engine_of, opened_of, plan_of


@dataclass(frozen=True, eq=False)
class FittedContours:
    """Objects by one exported network.

    Parameters
    ----------
    about
        ``recipe``, ``plan`` (`Plan.as_json`), ``network`` (for `nets.build`), ``classes``, ``history``, ``vector``.
    arrays
        ``network.onnx`` (uint8), ``weights/NAME``, ``vector/input`` and ``vector/output``.

    Raises
    ------
    BundleError
        A part is missing or the plan cannot be read; at the first answer also when the network answers the stored
        vector other than at its export.
    """

    about: Mapping[str, Any]
    arrays: Mapping[str, Array]

    def __post_init__(self) -> None:
        accepted(self.about, self.arrays, "instances")

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> FittedContours:
        """The way back from `about` and `state`."""
        return cls(dict(about), dict(state))

    def state(self) -> dict[str, Array]:
        """Name to array."""
        return dict(self.arrays)

    def predict(self, case: Case) -> Instances | NotEvaluated:
        """The objects of the leading image, on its own grid."""
        plan = plan_of(self.about, "instances")
        return contour(engine_of(plan, self.arrays), case.image(), plan)

    def opened(self) -> Opened:
        """The torch module behind it, for gradients; MissingExtraError without torch, BundleError for foreign code."""
        return opened_of(self.about, self.arrays, plan_of(self.about, "instances"))
