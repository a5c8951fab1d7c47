"""The nouns: frozen values that know no files and no network, and cache nothing."""

from __future__ import annotations

from isocenter.data.bundle import Bundle
from isocenter.data.case import Case, Fact
from isocenter.data.cases import SPLITS, Cases, Entry
from isocenter.data.findings import (
    IGNORE,
    OBJECT,
    Attribution,
    Boxes,
    Correspondence,
    Finding,
    Instances,
    NotEvaluated,
    Perturbation,
    Probabilities,
    Segmentation,
    Tracks,
    Transform,
    Value,
    Values,
)
from isocenter.data.geometry import Geometry, orienting
from isocenter.data.image import Image, Source
from isocenter.data.plan import Normalisation, Plan
from isocenter.data.positive import positive_of
from isocenter.data.problem import Problem
from isocenter.data.protocols import (
    Differentiable,
    Fitted,
    Learner,
    Opened,
    Passage,
    Predictor,
    Progress,
    Task,
    Watch,
    silent,
)
from isocenter.data.recipe import Knob, as_settings, build, knob, knobs, merged
from isocenter.data.scores import CaseScore, Disturbed, Interval, Score, Scores, Test
from isocenter.data.study import (
    Adversarial,
    After,
    Augment,
    Before,
    Imbalance,
    Intensity,
    Pretraining,
    Spatial,
    Study,
    pretraining_of,
)
from isocenter.ops.array import Array

__all__ = [
    "IGNORE",
    "OBJECT",
    "SPLITS",
    "Adversarial",
    "After",
    "Array",
    "Attribution",
    "Augment",
    "Before",
    "Boxes",
    "Bundle",
    "Case",
    "CaseScore",
    "Cases",
    "Correspondence",
    "Differentiable",
    "Disturbed",
    "Entry",
    "Fact",
    "Finding",
    "Fitted",
    "Geometry",
    "Image",
    "Imbalance",
    "Instances",
    "Intensity",
    "Interval",
    "Knob",
    "Learner",
    "Normalisation",
    "NotEvaluated",
    "Passage",
    "Perturbation",
    "Opened",
    "Plan",
    "Predictor",
    "Pretraining",
    "Probabilities",
    "Problem",
    "Progress",
    "Score",
    "Scores",
    "Segmentation",
    "Source",
    "Spatial",
    "Study",
    "Task",
    "Test",
    "Tracks",
    "Transform",
    "Value",
    "Values",
    "Watch",
    "as_settings",
    "build",
    "knob",
    "knobs",
    "merged",
    "orienting",
    "positive_of",
    "pretraining_of",
    "silent",
]
