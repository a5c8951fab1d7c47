"""U-Net: a network that learns which pixel belongs to what, in two or three dimensions or slice by slice.

Planned from the data after nnU-Net (Isensee et al., Nature Methods 2021); the network is that of Ronneberger et al.
(MICCAI 2015).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from isocenter.data import After, Before, Cases, Pretraining, Study, Watch, knob, silent
from isocenter.ops.array import Array
from isocenter.tasks.segment._study import LOSS, studied

if TYPE_CHECKING:
    from isocenter.tasks.segment._fitted import FittedSegmenter


@dataclass(frozen=True)
class Form:
    """What sets one U-Net apart from another; the plain one is the default."""

    residual: bool | None = knob(None, "residual blocks", source="He et al., CVPR 2016")
    attention: bool | None = knob(None, "gates on the skips", source="Oktay et al., MIDL 2018")
    context: int | None = knob(
        None,
        "of volumes: look in the plane of each slice alone, with so many slices above and below as its context "
        "(2.5D; 0: plain 2D); None: three axes throughout",
        low=0,
        high=8,
    )
    loss: str | None = knob(None, LOSS)
    pretraining: Pretraining = knob(Pretraining, "what it learns first, from images alone")
    distance: bool | None = knob(
        None,
        "a second head that learns the signed distance to the edge of each region, in training alone; None: no, but in "
        "a cascade's second stage yes",
        source="Murugesan et al., EMBC 2019; Dangi et al., Medical Physics 2019",
    )


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
    form: Form = knob(Form, "blocks, skips, axes, loss and pre-training")
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
