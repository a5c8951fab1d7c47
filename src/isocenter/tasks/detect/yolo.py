"""YOLO: a network that sees the whole image once and gives boxes and classes at every cell.

Anchor-free by default: distances to the sides (FCOS: Tian et al., ICCV 2019), decoupled branches (YOLOX: Ge et al.
2021), cells chosen by how well they do already (TOOD: Feng et al., ICCV 2021). Version 3 with anchors on three scales
by choice (Redmon and Farhadi 2018).
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
class Yolo:
    """The recipe of a YOLO network. None means that the plan decides, from the training cases."""

    network: str = knob("yolo", "yolo: anchor-free; yolov3: with anchors", choices=("yolo", "yolov3"))
    width: int | None = knob(
        None, "channels of the first stage; each further stage doubles them", low=4, high=128, tunable=True
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
