"""U-Net: a network that learns which pixel belongs to what, in two or three dimensions.

Planned from the data after nnU-Net (Isensee et al., Nature Methods 2021); the network is that of Ronneberger et al.
(MICCAI 2015).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from isocenter.data import After, Before, Cases, Study, Watch, knob, silent
from isocenter.errors import MissingExtraError
from isocenter.ops.array import Array

if TYPE_CHECKING:
    from isocenter.tasks.segment._fitted import FittedSegmenter


@dataclass(frozen=True)
class UNet:
    """The recipe of a U-Net. None means that the plan decides, from the fingerprint of the training cases."""

    network: Any = knob(
        None, "the network: unet, 'module:Class' called as Class(channels, outputs), or an nn.Module", choices=("unet",)
    )
    width: int | None = knob(
        None, "channels of the first stage; each further stage doubles them", low=4, high=256, tunable=True
    )
    depth: int | None = knob(None, "most steps down", low=1, high=8, tunable=True)
    residual: bool | None = knob(None, "residual blocks", source="He et al., CVPR 2016")
    study: Study = knob(Study, "how it learns")
    before: Before = knob(Before, "what happens to every image first")
    after: After = knob(After, "what happens to every answer")

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> FittedSegmenter:
        """Trains on `train`; `valid` chooses the best weights.

        Raises
        ------
        MissingExtraError
            torch is not installed.
        IsocenterError
            As `isocenter.fit.fitted`.
        """
        try:
            from isocenter.fit import fitted
        except ModuleNotFoundError as error:
            raise MissingExtraError("training a U-Net", "train") from error
        from isocenter.tasks.segment._fitted import FittedSegmenter

        return FittedSegmenter(*fitted(self, train, valid, task="segment", watch=watch))

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> FittedSegmenter:
        """The fitted network of a bundle; torch is not imported."""
        from isocenter.tasks.segment._fitted import FittedSegmenter

        return FittedSegmenter.from_state(about, state)
