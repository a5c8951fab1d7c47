"""The fitted network of this question: one class for every network that answers it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from isocenter.data import Case, NotEvaluated, Opened, Segmentation
from isocenter.data.turning import returned_labels, turned
from isocenter.infer import segment
from isocenter.ops.array import Array
from isocenter.tasks._network import accepted, engine_of, opened_of, plan_of


@dataclass(frozen=True, eq=False)
class FittedSegmenter:
    """Label maps by one exported network; torch is not needed.

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
        accepted(self.about, self.arrays, "segment")

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> FittedSegmenter:
        """The way back from `about` and `state`."""
        return cls(dict(about), dict(state))

    def state(self) -> dict[str, Array]:
        """Name to array."""
        return dict(self.arrays)

    def predict(self, case: Case) -> Segmentation | NotEvaluated:
        """The label map of the leading image, on its own grid."""
        return self._answer(case, want_scores=False)

    def scored(self, case: Case) -> Segmentation | NotEvaluated:
        """As `predict`, with soft scores: what another method works on when this network is a part of it."""
        return self._answer(case, want_scores=True)

    def _answer(self, case: Case, *, want_scores: bool) -> Segmentation | NotEvaluated:
        plan = plan_of(self.about, "segment")
        image = case.image()
        there = turned(image, plan.orientation)
        found = segment(engine_of(plan, self.arrays), there, plan, want_scores=want_scores)
        return returned_labels(found, image) if isinstance(found, Segmentation) else found

    def opened(self) -> Opened:
        """The torch module behind it, for gradients; MissingExtraError without torch, BundleError for foreign code."""
        return opened_of(self.about, self.arrays, plan_of(self.about, "segment"))
