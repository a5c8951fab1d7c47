"""Networks and losses: own definitions in torch that know no cases and no files."""

from __future__ import annotations

from isocenter.nets.building import answering, build, last, lasting, layers
from isocenter.nets.classification_losses import ClassLoss
from isocenter.nets.detection_losses import DETECTION_LOSSES
from isocenter.nets.distance import IGNORED
from isocenter.nets.losses import (
    Loss,
    deep,
    dice_cross_entropy,
    segmentation_loss,
)

__all__ = [
    "DETECTION_LOSSES",
    "IGNORED",
    "ClassLoss",
    "Loss",
    "answering",
    "build",
    "deep",
    "dice_cross_entropy",
    "last",
    "lasting",
    "layers",
    "segmentation_loss",
]
