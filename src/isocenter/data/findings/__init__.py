"""What methods answer. Values and geometry only: `ops` computes, `io` writes, `report` draws."""

from __future__ import annotations

from typing import TypeAlias

from isocenter.data.findings.attribution import Attribution
from isocenter.data.findings.boxes import Boxes
from isocenter.data.findings.instances import OBJECT, Instances
from isocenter.data.findings.not_evaluated import NotEvaluated
from isocenter.data.findings.perturbation import Perturbation
from isocenter.data.findings.probabilities import Probabilities
from isocenter.data.findings.segmentation import IGNORE, Segmentation
from isocenter.data.findings.tracks import Tracks
from isocenter.data.findings.transform import Correspondence, Transform
from isocenter.data.findings.values import Value, Values

Finding: TypeAlias = (
    Segmentation | Probabilities | Boxes | Instances | Attribution | Perturbation | Values | Transform | Correspondence
    | Tracks
)

__all__ = [
    "IGNORE",
    "OBJECT",
    "Attribution",
    "Boxes",
    "Correspondence",
    "Finding",
    "Instances",
    "NotEvaluated",
    "Perturbation",
    "Probabilities",
    "Segmentation",
    "Tracks",
    "Transform",
    "Value",
    "Values",
]
