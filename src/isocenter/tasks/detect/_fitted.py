"""The fitted network of this question: one class for every network that answers it."""

from __future__ import annotations

from typing import ClassVar

from isocenter.data import Boxes, Case, NotEvaluated, Opened
from isocenter.data.turning import returned_boxes, turned
from isocenter.infer.detecting import detect
from isocenter.tasks._network import FittedNetwork, opened_of


class FittedDetector(FittedNetwork):
    """Boxes by one exported network; torch is not needed."""

    TASK: ClassVar[str] = "detect"

    def predict(self, case: Case) -> Boxes | NotEvaluated:
        """The boxes of the leading image, on its own grid, by falling score.

        A score of 0.5 is the operating point: the limit of the greatest F1 on val, class by class. Boxes below it are
        answered as well, for curves that need all of them; take ``boxes.chosen(boxes.scores >= 0.5)`` to act upon.
        """
        plan, image = self.plan, case.image()
        found = detect(self.engine(plan), turned(image, plan.orientation), plan)
        return returned_boxes(found, image) if isinstance(found, Boxes) else found

    def opened(self) -> Opened:
        """The torch module behind it, for gradients; MissingExtraError without torch, BundleError for foreign code."""
        return opened_of(self.about, self.arrays, self.plan)
