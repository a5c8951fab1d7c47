"""Every metric by task and key, and the records that a case adds."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from isocenter.data import (
    Attribution,
    Boxes,
    Instances,
    NotEvaluated,
    Perturbation,
    Probabilities,
    Segmentation,
    Task,
    Tracks,
    Values,
)
from isocenter.errors import LabelError, NotFoundError, nearest
from isocenter.metrics import detect, instances, objects, register, sizes, track
from isocenter.metrics.attack import ATTACK
from isocenter.metrics.by_case import means
from isocenter.metrics.classify import CLASSIFY
from isocenter.metrics.explain import EXPLAIN
from isocenter.metrics.metric import Metric
from isocenter.metrics.regress import REGRESS
from isocenter.metrics.segment import SEGMENT, record, regions

ANSWERED = "_answered"

COVERAGE = Metric("coverage", "", "higher", (0.0, 1.0), "share of cases that were answered", "", lambda *_: {}, means)

BY_TASK: Mapping[str, Mapping[str, Metric]] = {
    "segment": {m.key: m for m in SEGMENT},
    "classify": {m.key: m for m in CLASSIFY},
    "regress": {m.key: m for m in REGRESS},
    "detect": {m.key: m for m in (*detect.DETECT, sizes.BOXES)},
    "instances": {m.key: m for m in (*instances.INSTANCES, sizes.OBJECTS)},
    "explain": {m.key: m for m in EXPLAIN},
    "attack": {m.key: m for m in ATTACK},
    "track": {m.key: m for m in track.TRACK},
    "register": {m.key: m for m in register.REGISTER},
}

FINDINGS: Mapping[str, type] = {
    "segment": Segmentation, "classify": Probabilities, "detect": Boxes, "instances": Instances, "explain": Attribution,
    "attack": Perturbation, "regress": Values, "track": Tracks,
}


def _answered(metric: Metric) -> Metric:
    return replace(metric, key=metric.key + ANSWERED, text=metric.text + " (answered cases only)")


_TABLE = {
    m.key: m
    for m in (*register.REGISTER, *track.TRACK, *ATTACK, *EXPLAIN, *instances.INSTANCES, *detect.DETECT, sizes.BOXES,
              *REGRESS, *CLASSIFY, *SEGMENT)
}
METRICS: Mapping[str, Metric] = {
    **_TABLE, **{m.key: m for m in map(_answered, _TABLE.values())}, "coverage": COVERAGE,
}
"""Key to metric for text, unit and direction; where tasks share a key, that of one of them (`get` tells them apart)."""


def get(key: str, task: Task | str) -> Metric:
    """The metric of a task.

    Parameters
    ----------
    key
        As in `Task.metrics`; with ``_answered`` the same over answered cases only; ``coverage``; or
        ``package.module:NAME`` of a `Metric` defined elsewhere.
    task
        The task or its name.

    Raises
    ------
    NotFoundError
        No such metric; names the nearest.
    """
    if ":" in key:
        return _elsewhere(key)
    name = task if isinstance(task, str) else task.name
    known = {**BY_TASK.get(name, {}), "coverage": COVERAGE}
    if key not in known and key.endswith(ANSWERED) and key.removesuffix(ANSWERED) in known:
        return _answered(known[key.removesuffix(ANSWERED)])
    if key not in known:
        raise NotFoundError(f"no metric {key!r} of task {name!r}", remedy=nearest(key, known))
    return known[key]


def _elsewhere(key: str) -> Metric:
    module, _, name = key.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise NotFoundError(f"no metric {key!r}", got=str(error), wanted="package.module:NAME of a Metric") from error
    if not isinstance(found, Metric):
        raise NotFoundError(f"{key!r} is no metric", got=type(found).__name__, wanted="isocenter.metrics.Metric")
    return found


def records(task: Task, prediction: Any, truth: Any = None) -> dict[str, dict[str, Any]]:
    """What one case adds, per metric of the task.

    Parameters
    ----------
    task
        Its `metrics` say what is recorded.
    prediction
        The task's finding, or `NotEvaluated`.
    truth
        The task's finding that is true; explain has none, attack carries its own.

    Returns
    -------
    dict
        Metric key to a JSON-able record.

    Raises
    ------
    LabelError
        The finding is of another kind, or knows none of the truth's classes.
    GeometryError
        A segmentation, boxes or instances lie on another grid; a transform is between other images.
    """
    wanted = FINDINGS.get(task.name)
    checked: Sequence[Any] = (prediction,) if task.name in ("explain", "attack") else (prediction, truth)
    for value in checked:
        if wanted and not isinstance(value, wanted) and not (isinstance(value, NotEvaluated) and value is prediction):
            raise LabelError(f"{task.name} compares findings of one kind", got=type(value).__name__,
                             wanted=wanted.__name__)
    if task.name == "register":
        register.checked(prediction, truth)
    metrics = {key: get(key, task) for key in task.metrics}
    if task.name == "segment":
        found = regions(prediction, truth)
        return {key: record(metric, found) for key, metric in metrics.items()}
    if task.name in ("detect", "instances"):
        both: objects.Sides[Any] = (detect if task.name == "detect" else instances).found(prediction, truth)
        return {key: objects.record(both, metric.record) for key, metric in metrics.items()}
    if task.name == "track":
        meeting = track.met(prediction, truth)
        return {key: metric.record(meeting) for key, metric in metrics.items()}
    return {key: metric.record(prediction, truth) for key, metric in metrics.items()}
