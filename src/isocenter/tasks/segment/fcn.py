"""Fully convolutional network: scores of coarse grids, enlarged and added.

Long et al., CVPR 2015. Fast and coarse: edges are as fine as its finest scores, 8, 16 or 32 pixels, let them be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from isocenter.data import After, Before, Cases, Study, Watch, knob, silent
from isocenter.ops.array import Array
from isocenter.tasks.segment._study import LOSS, studied

if TYPE_CHECKING:
    from isocenter.tasks.segment._fitted import FittedSegmenter


@dataclass(frozen=True)
class FCN:
    """The recipe of an FCN. None means that the plan decides, from the fingerprint of the training cases."""

    network: ClassVar[str] = "fcn"

    encoder: str | None = knob(
        None, "two convolutions a stage, or residual blocks; None: vgg", choices=("vgg", "resnet18")
    )
    finest: str = knob("8s", "the finest of the grids that give scores", choices=("32s", "16s", "8s"))
    width: int | None = knob(None, "channels of the first stage", low=4, high=256, tunable=True)
    loss: str | None = knob(None, LOSS)
    study: Study = knob(Study, "how it learns")
    before: Before = knob(Before, "what happens to every image first")
    after: After = knob(After, "what happens to every answer")

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> FittedSegmenter:
        """Trains on `train`; `valid` chooses the best weights; raises as `isocenter.fit.fitted`."""
        return studied(self, train, valid, watch=watch)

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> FittedSegmenter:
        """The fitted network of a bundle; torch is not imported."""
        from isocenter.tasks.segment._fitted import FittedSegmenter

        return FittedSegmenter.from_state(about, state)
