"""Mask R-CNN: boxes are proposed, looked at again, and filled with a mask each.

He et al., ICCV 2017, on a feature pyramid (Lin et al., CVPR 2017). Objects may overlap; each has a class and a score.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from isocenter.data import Before, Cases, Study, Watch, knob, silent
from isocenter.ops.array import Array
from isocenter.tasks.instances._fitted_rcnn import studied

if TYPE_CHECKING:
    from isocenter.tasks.instances._fitted_rcnn import FittedRegions


@dataclass(frozen=True)
class MaskRCNN:
    """The recipe of a Mask R-CNN. None means that the plan decides, from the fingerprint of the training cases."""

    network: ClassVar[str] = "rcnn"
    limits: ClassVar[tuple[float, ...]] = (0.5,)

    width: int | None = knob(
        None, "channels of the first stage; each further stage doubles them", low=4, high=256, tunable=True
    )
    features: int | None = knob(None, "channels of the feature pyramid", low=16, high=512, tunable=True)
    study: Study = knob(Study, "how it learns")
    before: Before = knob(Before, "what happens to every image first")

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> FittedRegions:
        """Trains on `train`; `valid` chooses the best weights and the score limit; raises as `isocenter.fit.fitted`."""
        return studied(self, train, valid, watch=watch)

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> FittedRegions:
        """The fitted network of a bundle; torch is not imported."""
        from isocenter.tasks.instances._fitted_rcnn import FittedRegions

        return FittedRegions.from_state(about, state)
