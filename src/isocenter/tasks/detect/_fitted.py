"""The fitted network of this question: one class for every network that answers it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from isocenter.data import Boxes, Case, NotEvaluated, Opened
from isocenter.data.turning import returned_boxes, turned
from isocenter.infer.detecting import detect
from isocenter.ops.array import Array
from isocenter.tasks._network import accepted, engine_of, opened_of, plan_of


@dataclass(frozen=True, eq=False)
class FittedDetector:
    """Boxes by one exported network; torch is not needed.

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
        accepted(self.about, self.arrays, "detect")

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> FittedDetector:
        """The way back from `about` and `state`."""
        return cls(dict(about), dict(state))

    def state(self) -> dict[str, Array]:
        """Name to array."""
        return dict(self.arrays)

    def predict(self, case: Case) -> Boxes | NotEvaluated:
        """The boxes of the leading image, on its own grid, by falling score.

        A score of 0.5 is the operating point: the limit of the greatest F1 on val, class by class. Boxes below it are
        answered as well, for curves that need all of them; take ``boxes.chosen(boxes.scores >= 0.5)`` to act upon.
        """
        plan = plan_of(self.about, "detect")
        image = case.image()
        found = detect(engine_of(plan, self.arrays), turned(image, plan.orientation), plan)
        return returned_boxes(found, image) if isinstance(found, Boxes) else found

    def opened(self) -> Opened:
        """The torch module behind it, for gradients; MissingExtraError without torch, BundleError for foreign code."""
        return opened_of(self.about, self.arrays, plan_of(self.about, "detect"))
