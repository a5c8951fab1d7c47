"""Networks and losses: own definitions in torch that know no cases and no files."""

from __future__ import annotations

from isocenter.nets.building import answering, build, layers
from isocenter.nets.detection_losses import DETECTION_LOSSES
from isocenter.nets.distance import IGNORED
from isocenter.nets.losses import (
    Loss,
    deep,
    dice_cross_entropy,
    multilabel,
    segmentation_loss,
    soft_cross_entropy,
)

__all__ = [
    "DETECTION_LOSSES",
    "IGNORED",
    "Loss",
    "answering",
    "build",
    "deep",
    "dice_cross_entropy",
    "layers",
    "multilabel",
    "segmentation_loss",
    "soft_cross_entropy",
]
