"""DeepLab V3+: an atrous pyramid that sees far, and a light decoder.

Chen et al., ECCV 2018, with a residual encoder of 18 layers (He et al., CVPR 2016) and group normalisation, which small
batches need (Wu and He, ECCV 2018).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from isocenter.data import After, Before, Cases, Pretraining, Study, Watch, knob, silent
from isocenter.ops.array import Array
from isocenter.tasks.segment._study import LOSS, studied

if TYPE_CHECKING:
    from isocenter.tasks.segment._fitted import FittedSegmenter


@dataclass(frozen=True)
class DeepLab:
    """The recipe of a DeepLab V3+. None means that the plan decides, from the fingerprint of the training cases."""

    network: ClassVar[str] = "deeplab"

    width: int | None = knob(None, "channels of the encoder's first stage", low=4, high=256, tunable=True)
    rates: tuple[int, ...] | None = knob(
        None,
        "atrous rates of the pyramid; None: 6, 12, 18 in proportion to the patch",
        unit="coarse pixels",
        low=1,
        high=64,
        source="Chen et al., ECCV 2018",
    )
    loss: str | None = knob(None, LOSS)
    pretraining: Pretraining = knob(Pretraining, "what it learns first, from images alone")
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
