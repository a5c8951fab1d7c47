"""Answering fast: an image and a plan in, a finding on the image's own grid out. torch is never imported here."""

from __future__ import annotations

from isocenter.infer.classifying import classify
from isocenter.infer.engines import Engine, engine, ready, verify
from isocenter.infer.memory import available
from isocenter.infer.preparing import Prepared, back, prepare, working_shape
from isocenter.infer.segmenting import logits, segment
from isocenter.infer.threads import limited, threads

__all__ = [
    "Engine",
    "Prepared",
    "available",
    "back",
    "classify",
    "engine",
    "limited",
    "logits",
    "prepare",
    "ready",
    "segment",
    "threads",
    "verify",
    "working_shape",
]
