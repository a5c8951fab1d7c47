"""Answering fast: an image and a plan in, a finding on the image's own grid out. torch is never imported here."""

from __future__ import annotations

from isocenter.infer.classifying import classify, decided, probabilities
from isocenter.infer.engines import Engine, engine, ready, verify
from isocenter.infer.memory import available
from isocenter.infer.preparing import Prepared, back, prepare, unusable, working_shape
from isocenter.infer.regressing import regress
from isocenter.infer.segmenting import logits, segment
from isocenter.infer.threads import limited, threads

__all__ = [
    "Engine",
    "Prepared",
    "available",
    "back",
    "classify",
    "decided",
    "engine",
    "limited",
    "logits",
    "prepare",
    "probabilities",
    "ready",
    "regress",
    "segment",
    "threads",
    "unusable",
    "verify",
    "working_shape",
]
