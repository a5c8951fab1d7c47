"""The refusal of a training set that lacks a class."""

from __future__ import annotations

from isocenter.data import Cases
from isocenter.errors import LabelError
from isocenter.ops.array import Array


def represented(train: Cases, truth: Array) -> None:
    """Nothing, or LabelError where a class of the set holds in no row of the truth (n, classes)."""
    missing = [c for c, n in zip(train.classes, truth.sum(axis=0), strict=True) if not n]
    if missing:
        raise LabelError(
            "a class has no training case", where=train.name, got=", ".join(missing), wanted="one case or more of each",
            remedy="Divide anew (isocenter split keeps classes on all sides; folds need as many cases of each as there "
            "are folds), join it with another class, or leave its cases out",
        )  # fmt: skip
