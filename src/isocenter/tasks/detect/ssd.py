"""SSD: boxes from anchors on several scales of one encoder (Liu et al., ECCV 2016).

Anchors are fitted to the training boxes; background is mined, three places for each object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from isocenter.data import Before, Cases, Study, Watch, knob, silent
from isocenter.ops.array import Array
from isocenter.tasks.detect._study import Keep, studied

if TYPE_CHECKING:
    from isocenter.tasks.detect._fitted import FittedDetector


@dataclass(frozen=True)
class SSD:
    """The recipe of a single-shot detector. None means that the plan decides, from the training cases."""

    network: str = knob("ssd", "the network", choices=("ssd",))
    encoder: str | None = knob(None, "light (residual; the default) or vgg16", choices=("light", "vgg16"))
    width: int | None = knob(
        None, "channels of the first stage (VGG-16: 64); each further stage doubles them", low=4, high=128, tunable=True
    )
    study: Study = knob(Study, "how it learns")
    before: Before = knob(Before, "what happens to every image first")
    keep: Keep = knob(Keep, "which boxes of an answer remain")

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> FittedDetector:
        """Trains on `train`; `valid` chooses the weights and the score limits; raises as `isocenter.fit.fitted`."""
        return studied(self, train, valid, watch=watch)

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> FittedDetector:
        """The fitted network of a bundle; torch is not imported."""
        from isocenter.tasks.detect._fitted import FittedDetector

        return FittedDetector.from_state(about, state)
