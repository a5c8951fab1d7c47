"""What the metrics know about a score: which way is better, its range, its value for each single case."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from isocenter.data import Score, Scores, positive_of
from isocenter.errors import NotFoundError
from isocenter.metrics import METRICS, Metric, get, values_of

ALL, FOREGROUND = "all", "foreground"


def metric_of(task: str, key: str) -> Metric | None:
    """The metric behind a key; None for a key that nobody here knows."""
    try:
        return get(key, task)
    except NotFoundError:
        return METRICS.get(key)


def is_share(task: str, key: str) -> bool:
    """Whether a metric lies in 0..1."""
    metric = metric_of(task, key)
    return metric is not None and metric.range == (0.0, 1.0)


def lower_is_better(task: str, key: str) -> bool:
    """Whether small values are good."""
    metric = metric_of(task, key)
    return metric is not None and metric.better == "lower"


def lead_target(targets: Mapping[str, Score], positive: str | None = None) -> str:
    """Which target leads: the positive class, else ``all``, else ``foreground``, else the first."""
    return next((t for t in (positive, ALL, FOREGROUND) if t is not None and t in targets), next(iter(targets), ALL))


def shared_targets(scores: Sequence[Scores], key: str) -> dict[str, Score]:
    """The targets of one metric that every method has (with one method's scores), so that like stands beside like.

    A method that answers one region for all has no ``all``; beside it, others are read at ``foreground`` too.
    """
    have = [s.metrics[key] for s in scores if key in s.metrics]
    first = have[0] if have else {}
    shared = {t: score for t, score in first.items() if all(t in targets for targets in have)}
    return shared or dict(first)


def alias(targets: Mapping[str, Score], target: str) -> str:
    """The class that ``all`` stands for where it is the same number as that of one class alone; else the target."""
    if target != ALL or ALL not in targets:
        return target
    same = [t for t, s in targets.items() if t != ALL and s == targets[ALL] and s.value is not None]
    lead = positive_of([t for t in targets if t != ALL])
    return lead if lead in same else same[0] if len(same) == 1 else target


def case_values(scores: Scores, key: str, target: str) -> list[float | None] | None:
    """The value of each case, None where it does not enter; None for a metric of whole sets only, such as AUC."""
    metric = metric_of(scores.task, key)
    if metric is None or not metric.by_case:
        return None
    values = values_of([c.records[key] for c in scores.cases], target)
    return [None if math.isnan(v) else float(v) for v in values]


def extremes(scores: Scores, key: str = "", target: str = "") -> dict[str, str]:
    """The cases worth drawing: ``{"worst": case, "median": case, "best": case}``, distinct, fewer for few cases.

    Parameters
    ----------
    scores
        Of one method.
    key, target
        Metric and target; default those that lead. Where the metric has no value per case, the mapping is empty.
    """
    key = key or next(iter(scores.metrics), "")
    values = case_values(scores, key, target or lead_target(scores.metrics.get(key, {}))) or []
    sign = -1.0 if lower_is_better(scores.task, key) else 1.0
    ordered = sorted((sign * v, i) for i, v in enumerate(values) if v is not None)
    if not ordered:
        return {}
    picks = {"worst": ordered[0][1], "median": ordered[(len(ordered) - 1) // 2][1], "best": ordered[-1][1]}
    names: dict[str, str] = {}
    for rank, i in picks.items():
        if scores.cases[i].case not in names.values():
            names[rank] = scores.cases[i].case
    return names
