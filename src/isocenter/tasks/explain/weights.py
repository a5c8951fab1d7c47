"""The weights of a linear classifier on voxels as a map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from isocenter.data import Attribution, Case, NotEvaluated, knob
from isocenter.errors import RecipeError

KINDS = ("weights", "pattern", "contribution")


@dataclass(frozen=True)
class Weights:
    """What each voxel is worth to a linear classifier: its weight, the pattern behind it, or its part in one answer.

    A large weight may only cancel the noise of other voxels: where the class itself shows is in the pattern.

    Sources: Mourao-Miranda et al., NeuroImage 28 (2005) 980; Haufe et al., NeuroImage 87 (2014) 96.

    Raises
    ------
    RecipeError
        `of` is missing, or has no weights on voxels.
    """

    of: Any = knob(None, "the fitted classifier: a bundle of classify/voxels")
    kind: str = knob(
        "weights",
        "change of the logit by one standard deviation of the voxel; how the voxel varies with the class; or weight "
        "times this case's value",
        choices=KINDS,
    )
    target: str | None = knob(None, "class to explain; None: the answer's own")

    def __post_init__(self) -> None:
        if self.of is None:
            raise RecipeError("weights explain another method", wanted="of=", remedy="Name a bundle of classify/voxels")
        if not hasattr(self.of, "weighted"):
            raise RecipeError(
                "only a linear classifier on voxels has a map of weights", got=type(self.of).__name__,
                wanted="a bundle of classify/voxels", remedy="explain/occlusion takes any predictor",
            )  # fmt: skip

    def predict(self, case: Case) -> Attribution | NotEvaluated:
        """The map on the case's own grid; NotEvaluated where the method does not answer.

        Raises
        ------
        NotFoundError
            The method knows no such class.
        """
        found: Attribution | NotEvaluated = self.of.weighted(case, kind=self.kind, target=self.target)
        return found
