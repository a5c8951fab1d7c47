"""The fitted network of this question that answers pixel by pixel; torch is not needed."""

from __future__ import annotations

from typing import ClassVar

from isocenter.data import Case, Instances, NotEvaluated, Opened
from isocenter.infer.contouring import contour
from isocenter.tasks._network import FittedNetwork, opened_of


class FittedContours(FittedNetwork):
    """Objects by one exported network."""

    TASK: ClassVar[str] = "instances"

    def predict(self, case: Case) -> Instances | NotEvaluated:
        """The objects of the leading image, on its own grid."""
        plan = self.plan
        return contour(self.engine(plan), case.image(), plan)

    def opened(self) -> Opened:
        """The torch module behind it, for gradients; MissingExtraError without torch, BundleError for foreign code."""
        return opened_of(self.about, self.arrays, self.plan)
