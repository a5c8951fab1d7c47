"""The fitted network of this question: one class for every network that answers it."""

from __future__ import annotations

from typing import ClassVar

from isocenter.data import Case, NotEvaluated, Opened, Values
from isocenter.data.turning import turned
from isocenter.infer import regress
from isocenter.tasks._network import FittedNetwork, opened_of


class FittedRegressor(FittedNetwork):
    """A number by one exported network; torch is not needed."""

    TASK: ClassVar[str] = "regress"

    def predict(self, case: Case) -> Values | NotEvaluated:
        """The number of the leading image, with its interval."""
        plan = self.plan
        return regress(self.engine(plan), turned(case.image(), plan.orientation), plan)

    def opened(self) -> Opened:
        """The torch module behind it, for gradients; MissingExtraError without torch, BundleError for foreign code."""
        return opened_of(self.about, self.arrays, self.plan)
