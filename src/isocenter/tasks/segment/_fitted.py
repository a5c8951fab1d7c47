"""The fitted network of this question: one class for every network that answers it."""

from __future__ import annotations

from typing import ClassVar

from isocenter.data import Case, NotEvaluated, Opened, Segmentation
from isocenter.data.turning import returned_labels, turned
from isocenter.infer import segment
from isocenter.tasks._network import FittedNetwork, opened_of


class FittedSegmenter(FittedNetwork):
    """Label maps by one exported network; torch is not needed."""

    TASK: ClassVar[str] = "segment"

    def predict(self, case: Case) -> Segmentation | NotEvaluated:
        """The label map of the leading image, on its own grid."""
        return self._answer(case, want_scores=False)

    def scored(self, case: Case) -> Segmentation | NotEvaluated:
        """As `predict`, with soft scores: what another method works on when this network is a part of it."""
        return self._answer(case, want_scores=True)

    def _answer(self, case: Case, *, want_scores: bool) -> Segmentation | NotEvaluated:
        plan, image = self.plan, case.image()
        there = turned(image, plan.orientation)
        found = segment(self.engine(plan), there, plan, want_scores=want_scores)
        return returned_labels(found, image) if isinstance(found, Segmentation) else found

    def opened(self) -> Opened:
        """The torch module behind it, for gradients; MissingExtraError without torch, BundleError for foreign code."""
        return opened_of(self.about, self.arrays, self.plan)
