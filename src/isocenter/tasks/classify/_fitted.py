"""The fitted network of this question: one class for every network that answers it."""

from __future__ import annotations

from typing import ClassVar

from isocenter.data import Case, NotEvaluated, Opened, Probabilities
from isocenter.data.turning import turned
from isocenter.infer import classify
from isocenter.tasks._network import FittedNetwork, opened_of


class FittedClassifier(FittedNetwork):
    """Probabilities by one exported network; torch is not needed."""

    TASK: ClassVar[str] = "classify"

    def predict(self, case: Case) -> Probabilities | NotEvaluated:
        """The probability of each class for the leading image."""
        plan = self.plan
        return classify(self.engine(plan), turned(case.image(), plan.orientation), plan)

    def opened(self) -> Opened:
        """The torch module behind it, for gradients; MissingExtraError without torch, BundleError for foreign code."""
        return opened_of(self.about, self.arrays, self.plan)
