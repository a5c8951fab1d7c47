"""Builders that the tests of metrics share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from isocenter import catalog
from isocenter.data import (
    CaseScore,
    Geometry,
    NotEvaluated,
    Probabilities,
    Scores,
    Segmentation,
    Task,
)
from isocenter.metrics import records, summarise


@pytest.fixture(scope="session")
def segment() -> Task:
    """The task of that name."""
    return catalog.task("segment")


@pytest.fixture(scope="session")
def classify() -> Task:
    """The task of that name."""
    return catalog.task("classify")


@pytest.fixture(scope="session")
def mask() -> Callable[..., Segmentation]:
    """A segmentation from an array of label numbers."""

    def made(array: Any, *names: str, spacing: Sequence[float] | None = None) -> Segmentation:
        labels = np.asarray(array, np.uint8)
        return Segmentation(labels, ("background", *(names or ("foreground",))),
                            Geometry.from_spacing(labels.shape, spacing))

    return made


@pytest.fixture(scope="session")
def classified(classify: Task) -> Callable[..., list[CaseScore]]:
    """Case scores from truth indices, probabilities (n, k) and, where given, decisions; None rows are unanswered.

    `only` names the metrics where not all are wanted.
    """

    def made(truth: Any, p: Any, classes: Sequence[str] = ("normal", "ill"), *, groups: Sequence[str] | None = None,
             decided: Sequence[str] | None = None, only: tuple[str, ...] = ()) -> list[CaseScore]:
        task = replace(classify, metrics=only) if only else classify
        out = []
        for i, (t, row) in enumerate(zip(truth, p, strict=True)):
            multi = not np.isscalar(t)
            present = [c for c, v in zip(classes, t, strict=True) if v] if multi else [classes[int(t)]]
            right = Probabilities.truth(classes, present, multilabel=multi)
            answer: Any = NotEvaluated("too dark")
            if row is not None:
                one = (decided[i],) if decided else None
                answer = Probabilities(tuple(classes), tuple(map(float, row)), multi, one)
            out.append(CaseScore(f"case{i}", groups[i] if groups is not None else f"group{i}",
                                 records(task, answer, right), "" if row is not None else answer.line()))
        return out

    return made


@pytest.fixture(scope="session")
def binary(classified: Callable[..., list[CaseScore]]) -> Callable[..., list[CaseScore]]:
    """Case scores of two classes from truth and the probability of the second."""

    def made(truth: Any, p: Any, **more: Any) -> list[CaseScore]:
        return classified(np.asarray(truth, int), [None if v is None else (1 - v, v) for v in p], **more)

    return made


@pytest.fixture(scope="session")
def scored(classify: Task) -> Callable[..., Scores]:
    """Scores of classify on test; `only` names the metrics where not all are wanted."""

    def made(cases: list[CaseScore], method: str = "a", *, only: tuple[str, ...] = (), **more: Any) -> Scores:
        task = replace(classify, metrics=only) if only else classify
        return summarise(task, cases, method=method, split="test", **more)

    return made


@pytest.fixture(scope="session")
def overlaps(segment: Task) -> Callable[..., list[CaseScore]]:
    """Case scores of a single region with these values of Dice; the other records are empty."""

    def made(values: Sequence[float | None], groups: Sequence[str] | None = None) -> list[CaseScore]:
        def row(value: float | None) -> dict[str, Any]:
            return {k: {"values": {"lung": value if k == "dice" else None}} for k in segment.metrics}

        return [CaseScore(f"case{i}", groups[i] if groups is not None else f"group{i}",
                          row(None if v is None else float(v))) for i, v in enumerate(values)]

    return made
