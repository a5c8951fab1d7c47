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
from isocenter.data.findings.values import Value, Values

Finding: TypeAlias = Segmentation | Probabilities | Boxes | Instances | Attribution | Perturbation | Values

__all__ = [
    "IGNORE",
    "OBJECT",
    "Attribution",
    "Boxes",
    "Finding",
    "Instances",
    "NotEvaluated",
    "Perturbation",
    "Probabilities",
    "Segmentation",
    "Value",
    "Values",
]
