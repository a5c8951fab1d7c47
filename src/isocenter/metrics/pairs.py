"""Two methods on the same cases: is the difference more than chance?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Unpack

import numpy as np
from scipy.special import ndtr, ndtri

from isocenter.data import OBJECT, Scores, Task, Test
from isocenter.errors import InputError, NotFoundError, nearest
from isocenter.metrics.by_case import ALL, FOREGROUND, values_of
from isocenter.metrics.classify import answers, right
from isocenter.metrics.exact import holm, mcnemar, wilcoxon
from isocenter.metrics.metric import Record
from isocenter.metrics.ranking import delong
from isocenter.metrics.registry import get
from isocenter.metrics.resample import groups_of, percentile_interval, two_sided_p
from isocenter.metrics.summary import FEW, Drawn, Sampling, Settled, checked, drawn, n_groups, n_single, settled
from isocenter.ops.array import Array


def lead_target(task: Task, scores: Sequence[Scores], *, positive: str | None = None) -> str:
    """The target that tables lead with and all of `scores` have.

    The positive class, else ``all``, else what stands for all classes together: ``foreground`` or ``object``.

    Raises
    ------
    InputError
        There is none: the methods were scored against different regions.
    """
    key = task.metrics[0]
    shared = set.intersection(*(set(s.metrics[key]) for s in scores)) if scores else set()
    for target in (positive, ALL, FOREGROUND, OBJECT):
        if target in shared and target is not None:
            return target
    known = "; ".join(f"{s.method}: {', '.join(s.metrics[key])}" for s in scores)
    raise InputError("the methods share no target", got=known)


def compare(
    task: Task,
    scores: Sequence[Scores],
    *,
    positive: str | None = None,
    against: str | None = None,
    metrics: Sequence[str] | None = None,
    **sampling: Unpack[Sampling],
) -> tuple[Test, ...]:
    """Paired tests of methods on the same cases.

    Per pair and metric: a paired bootstrap by group of the difference; for metrics with a value per case Wilcoxon's
    signed-rank test on means per group; DeLong's test for AUC (with Obuchowski's variance where a group has several
    cases); McNemar's exact test for accuracy where every group is a single case, because it assumes independent cases.
    Differences are a - b. Holm's correction runs over all pairs of
    one metric and one kind of test. An unanswered case counts as wrong or empty, as in the tables.

    Parameters
    ----------
    task, scores
        One `Scores` a method, of the same split.
    positive
        classify: the class that leads; else ``all``.
    against
        Compare all others with this method only; None: every pair.
    metrics
        Keys; None: the leading one, and accuracy where the task has it.
    **sampling
        ``level``, ``resamples``, ``seed`` of the bootstrap.

    Returns
    -------
    tuple of Test
        With fewer than 10 groups no p (flag ``few_subjects``), with fewer than 2 no interval either (``one_subject``).

    Raises
    ------
    InputError
        The methods were scored on different cases, or share no target.
    NotFoundError
        `against` names no method.
    """
    if len(scores) < 2:
        return ()
    scores = _aligned(task, scores)
    names = [s.method for s in scores]
    if against is not None and against not in names:
        raise NotFoundError(f"no method {against!r} to compare with", remedy=nearest(against, names))
    target = lead_target(task, scores, positive=positive)
    keys = metrics or dict.fromkeys((task.metrics[0], *(k for k in task.metrics if k == "accuracy")))
    both = combinations(range(len(scores)), 2)
    # The named method stands second, so that a difference says how much the other is above it.
    pairs = [(j, i) if names[i] == against else (i, j) for i, j in both if against in (None, names[i], names[j])]
    how = settled(sampling)
    tests: list[Test] = []
    for key in keys:
        setting = _Setting(task, key, _target(key, scores, target), positive, how.level)
        sides = [_side(setting, s, how) for s in scores]
        found = [t for i, j in pairs for t in _tests(setting, sides[i], sides[j])]
        tests += _corrected(found)
    return tuple(tests)


@dataclass(frozen=True)
class _Setting:
    task: Task
    key: str
    target: str
    positive: str | None
    level: float


@dataclass(frozen=True)
class _Side:
    scores: Scores
    groups: Array
    drawn: Drawn


def _aligned(task: Task, scores: Sequence[Scores]) -> list[Scores]:
    """The same cases in the same order, or InputError."""
    first = scores[0]
    order = [c.case for c in first.cases]
    out = []
    for s in scores:
        checked(task, s.cases)
        held = {c.case: c for c in s.cases}
        odd = sorted(set(held) ^ set(order))
        if odd:
            raise InputError(f"{first.method} and {s.method} were scored on different cases",
                             got=f"{len(odd)} cases in one only, such as {odd[0]}", wanted="the same cases",
                             remedy="Evaluate both on the same split")
        out.append(replace(s, cases=tuple(held[name] for name in order)))
    return out


def _target(key: str, scores: Sequence[Scores], target: str) -> str:
    """The leading target, or ``all`` for a metric that is one number for all classes."""
    return target if all(target in s.metrics.get(key, {target: None}) for s in scores) else ALL


def _side(setting: _Setting, scores: Scores, how: Settled) -> _Side:
    groups = groups_of(scores.cases)
    table = get(setting.key, setting.task).summary([c.records[setting.key] for c in scores.cases], setting.positive)
    wanted = (setting.target, *table[setting.target].parts)
    found = drawn({t: table[t] for t in wanted}, groups, how.resamples, how.seed)
    return _Side(scores, groups, found[setting.target])


def _tests(setting: _Setting, a: _Side, b: _Side) -> Iterator[Test]:
    groups = a.groups
    together = replace(a.drawn.estimate, entered=a.drawn.estimate.entered | b.drawn.estimate.entered)
    count = n_groups(together, groups)
    flags = tuple(dict.fromkeys(f for f in (*a.drawn.estimate.flags, *b.drawn.estimate.flags) if f == "mixed_units"))
    flags += ("few_subjects",) if count < FEW else ()
    flags += ("one_subject",) if count < 2 else ()
    difference = a.drawn.value - b.drawn.value
    draws = a.drawn.draws - b.drawn.draws
    names = (a.scores.method, b.scores.method, setting.key, setting.target)
    if np.isnan(difference):
        yield Test(*names, None, None, None, None, None, "paired bootstrap", (*flags, "undefined"))
        return
    known = count >= 2 and not np.isnan(draws).all()
    low, high = percentile_interval(draws, setting.level, count) if known else (None, None)
    enough = known and count >= FEW
    p = two_sided_p(draws, count) if enough else None
    yield Test(*names, difference, low, high, p, None, "paired bootstrap", flags)
    for name, p, bounds in _others(setting, a, b, (low, high)):
        missing = () if p is not None or not enough else ("undefined",)
        yield Test(*names, difference, *bounds, p if enough else None, None, name, flags + missing)


Bounds = tuple[float | None, float | None]


def _others(setting: _Setting, a: _Side, b: _Side, bounds: Bounds) -> Iterator[tuple[str, float | None, Bounds]]:
    """The tests that this metric allows beside the bootstrap: name, p, interval of the difference."""
    key, target = setting.key, setting.target
    records = [[c.records[key] for c in s.scores.cases] for s in (a, b)]
    if get(key, setting.task).by_case:
        values = [values_of(r, target) for r in records]
        yield "wilcoxon", wilcoxon(_group_means(values[0] - values[1], a.groups)), bounds
    if setting.task.name != "classify":
        return
    if key == "accuracy" and target == ALL and n_single(a.groups):
        both = [answers(r) for r in records]
        if not both[0].multilabel:
            yield "mcnemar", mcnemar(right(both[0]), right(both[1])), bounds
    if key == "auc":
        yield from _delong(setting, records, None if n_single(a.groups) else a.groups)


def _delong(
    setting: _Setting, records: Sequence[Sequence[Record]], groups: Array | None
) -> Iterator[tuple[str, float | None, Bounds]]:
    both = [answers(r) for r in records]
    table = get("auc", setting.task).summary(records[0], setting.positive)
    name = next((t for t, e in table.items() if t != ALL and e is table[setting.target]), setting.target)
    if name not in both[0].classes:
        return
    truth = both[0].truth[:, both[0].one(name)]
    if min(truth.sum(), (~truth).sum()) < 2 or (groups is not None and len(np.unique(groups)) < 2):
        return
    aucs, covariance = delong(np.array([x.rank(x.one(name)) for x in both]), truth, groups)
    difference = float(aucs[0] - aucs[1])
    error = float(np.sqrt(max(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1], 0.0)))
    if error == 0:
        yield "delong", 1.0 if difference == 0 else None, (difference, difference)
        return
    half = -float(ndtri((1 - setting.level) / 2)) * error
    low, high = max(difference - half, -1.0), min(difference + half, 1.0)
    yield "delong", float(2 * ndtr(-abs(difference) / error)), (low, high)


def _group_means(differences: Array, groups: Array) -> Array:
    known = ~np.isnan(differences)
    index = np.unique(groups[known], return_inverse=True)[1]
    return np.asarray(np.bincount(index, weights=differences[known]) / np.maximum(np.bincount(index), 1))


def _corrected(tests: Sequence[Test]) -> list[Test]:
    out = list(tests)
    for kind in dict.fromkeys(t.test for t in tests):
        places = [i for i, t in enumerate(tests) if t.test == kind]
        for i, p in zip(places, holm([tests[i].p for i in places]), strict=True):
            out[i] = replace(tests[i], p_holm=p)
    return out
