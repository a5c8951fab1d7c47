"""Cascade R-CNN: a row of heads, each stricter about overlap than the last and fed with its boxes, then a mask each.

Cai and Vasconcelos, CVPR 2018; otherwise `mask_rcnn`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from isocenter.data import Before, Cases, Study, Watch, knob, silent
from isocenter.errors import RecipeError
from isocenter.ops.array import Array
from isocenter.tasks.instances._fitted_rcnn import studied

if TYPE_CHECKING:
    from isocenter.tasks.instances._fitted_rcnn import FittedRegions


@dataclass(frozen=True)
class CascadeRCNN:
    """The recipe of a Cascade R-CNN. None means that the plan decides, from the fingerprint of the training cases.

    Raises
    ------
    RecipeError
        Fewer than two or more than three limits, or limits that do not rise between 0 and 1.
    """

    network: ClassVar[str] = "rcnn"

    limits: tuple[float, ...] = knob(
        (0.5, 0.6, 0.7), "IoU from which a box holds its object, one a head, rising", low=0.0, high=1.0
    )
    width: int | None = knob(
        None, "channels of the first stage; each further stage doubles them", low=4, high=256, tunable=True
    )
    features: int | None = knob(None, "channels of the feature pyramid", low=16, high=512, tunable=True)
    study: Study = knob(Study, "how it learns")
    before: Before = knob(Before, "what happens to every image first")

    def __post_init__(self) -> None:
        rising = all(a < b for a, b in zip(self.limits, self.limits[1:], strict=False))
        if not 2 <= len(self.limits) <= 3 or not rising or not all(0 < v < 1 for v in self.limits):
            raise RecipeError("these limits make no cascade", got=str(self.limits),
                              wanted="two or three rising numbers between 0 and 1", remedy="Set limits=0.5,0.6,0.7")

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> FittedRegions:
        """Trains on `train`; `valid` chooses the best weights and the score limit; raises as `isocenter.fit.fitted`."""
        return studied(self, train, valid, watch=watch)

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> FittedRegions:
        """The fitted network of a bundle; torch is not imported."""
        from isocenter.tasks.instances._fitted_rcnn import FittedRegions

        return FittedRegions.from_state(about, state)
