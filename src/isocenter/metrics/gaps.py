"""Do groups of cases fare differently from the rest, by more than chance? And does it change over time?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Unpack

import numpy as np
from scipy.special import ndtr

from isocenter.data import Scores, Task
from isocenter.metrics.by_case import ALL, FOREGROUND, values_of
from isocenter.metrics.classify import answers, right
from isocenter.metrics.exact import holm
from isocenter.metrics.metric import Estimate, ratio
from isocenter.metrics.registry import get
from isocenter.metrics.resample import collected, groups_of, percentile_interval, two_sided_p, weights
from isocenter.metrics.summary import FEW, Sampling, settled
from isocenter.ops.array import Array

# Reordered subjects of a permutation test.
ORDERS, BLOCK = 9999, 500
# What groups are compared in where the leading metric has no value in one of them.
SECOND = "accuracy"


@dataclass(frozen=True)
class Gap:
    """One group against all others.

    Parameters
    ----------
    group
        Value of the column.
    metric, target
        What is compared.
    value, rest
        Of the group and of the others; None where undefined.
    difference, low, high
        value - rest with its interval, resampled by subject; None where undefined or a side has fewer than 2 subjects.
    p, p_holm
        Of the difference, and corrected over all groups; None where a side has fewer than 10 subjects.
    n, n_subjects
        Cases and subjects of the group.
    flags
        ``gap``: the interval leaves out 0 and p_holm is below 1 - level. ``few_subjects``: no p.
    """

    group: str
    metric: str
    target: str
    value: float | None
    rest: float | None
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    p_holm: float | None
    n: int
    n_subjects: int
    flags: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def gaps(
    task: Task, scores: Scores, labels: Sequence[str], *, positive: str | None = None, **sampling: Unpack[Sampling]
) -> tuple[Gap, ...]:
    """Each group against the rest in the leading metric of a task; empty for fewer than 2 groups.

    Of classify in accuracy where the leading metric has no value in some group, as AUC where all are ill.
    Whole subjects are resampled, so that one that stands in two groups counts in both together. Holm's correction runs
    over the groups. With many groups few gaps can be shown; one without the flag is not proven to be none.

    Parameters
    ----------
    task, scores
        What was scored.
    labels
        (n,) the group of each case of `scores`.
    positive
        classify: the class that leads.
    **sampling
        ``level``, ``resamples``, ``seed``.
    """
    names = list(dict.fromkeys(sorted(labels)))
    if len(names) < 2:
        return ()
    member = np.array([[label == name for label in labels] for name in names], float)
    sides = [m for row in member for m in (row, 1 - row)]
    tried = [_compared(task, key, scores, sides, positive) for key in dict.fromkeys((task.metrics[0], SECOND))
             if key in task.metrics]
    known = [c for c in tried if c is not None]
    if not known:
        return ()
    what, at, values = next((c for c in known if not np.isnan(c[2]).any()), known[0])
    how, groups = settled(sampling), groups_of(scores.cases)
    # A side that lost its only cases has no value in that resample.
    with np.errstate(invalid="ignore"):
        draws = collected(weights(groups, how.resamples, how.seed), [_within(at, m) for m in sides])
    found = [
        _gap(name, what, (values[2 * i], values[2 * i + 1]), draws[2 * i] - draws[2 * i + 1],
             (groups[member[i] > 0], groups[member[i] == 0]), how.level)
        for i, name in enumerate(names)
    ]
    return _flagged(found, how.level)


def _compared(
    task: Task, key: str, scores: Scores, sides: Sequence[Array], positive: str | None
) -> tuple[tuple[str, str], Callable[[Array], Array], list[float]] | None:
    """Metric and target, how it is computed, and its value on every side."""
    table = get(key, task).summary([c.records[key] for c in scores.cases], positive)
    target = next((t for t in (ALL, FOREGROUND, *table) if t in table), "")
    if not target:
        return None
    at = _value(table, target)
    with np.errstate(invalid="ignore"):
        return (key, target), at, [float(at(m[None])[0]) for m in sides]


def _value(table: Mapping[str, Estimate], target: str) -> Callable[[Array], Array]:
    """Weights (r, n) to the value of a target, also where it is the mean of others."""
    parts = [table[name].at for name in table[target].parts]
    if not parts:
        return table[target].at

    def mean(weights_: Array) -> Array:
        stack = np.array([part(weights_) for part in parts])
        known = ~np.isnan(stack)
        return ratio(np.where(known, stack, 0.0).sum(axis=0), known.sum(axis=0))

    return mean


def _within(at: Callable[[Array], Array], member: Array) -> Callable[[Array], Array]:
    return lambda weights_: at(weights_ * member)


def _gap(
    name: str, what: tuple[str, str], values: tuple[float, float], draws: Array, subjects: tuple[Array, Array],
    level: float,
) -> Gap:
    mine, others = (len(np.unique(s)) for s in subjects)
    value, rest = (None if np.isnan(v) else v for v in values)
    bare = Gap(name, *what, value, rest, None, None, None, None, None, len(subjects[0]), mine)
    few = () if min(mine, others) >= FEW else ("few_subjects",)
    if value is None or rest is None:
        return replace(bare, flags=(*few, "undefined"))
    known = min(mine, others) >= 2 and np.isnan(draws).mean() <= 0.05
    low, high = percentile_interval(draws, level, min(mine, others)) if known else (None, None)
    p = two_sided_p(draws, min(mine, others)) if known and not few else None
    return replace(bare, difference=value - rest, low=low, high=high, p=p, flags=few if known else (*few, "unstable"))


def _flagged(found: Sequence[Gap], level: float) -> tuple[Gap, ...]:
    out = []
    for gap, p in zip(found, holm([g.p for g in found]), strict=True):
        apart = gap.low is not None and gap.high is not None and (gap.low > 0 or gap.high < 0)
        real = apart and p is not None and p < 1 - level
        out.append(replace(gap, p_holm=p, flags=(*gap.flags, "gap") if real else gap.flags))
    return tuple(out)


@dataclass(frozen=True)
class Trend:
    """Whether a score rises or falls along a number, such as the date.

    Parameters
    ----------
    metric
        Whose values by case.
    slope
        Change of the value per unit of the number.
    p
        Two-sided; None with fewer than 10 subjects, or where nothing varies.
    test
        ``"Cochran-Armitage"`` or ``"permutation by subject"``.
    n, n_subjects
        Cases and subjects.
    """

    metric: str
    slope: float | None
    p: float | None
    test: str
    n: int
    n_subjects: int

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def trend(task: Task, scores: Scores, at: Sequence[float], *, seed: int = 0) -> Trend | None:
    """The trend of the score of single cases along a number; None where the task has no score by case.

    Of classify whether the decision is right: Cochran and Armitage's test where each subject is one case. Otherwise the
    slope through the means of the subjects, against 9999 random orders of the subjects.

    Source: Armitage, Biometrics 11 (1955) 375; Phipson and Smyth, 2010, for p of a random permutation test.

    Parameters
    ----------
    task, scores
        What was scored.
    at
        (n,) the number of each case, NaN where unknown.
    seed
        Of the orders.
    """
    found = _by_case(task, scores)
    if found is None:
        return None
    key, values = found
    where = np.asarray(at, float)
    known = ~(np.isnan(values) | np.isnan(where))
    index = np.unique(groups_of(scores.cases)[known], return_inverse=True)[1]
    n, subjects = int(known.sum()), int(index.max(initial=-1)) + 1
    x, y = (np.bincount(index, v[known]) / np.maximum(np.bincount(index), 1) for v in (where, values))
    if subjects < 2 or np.ptp(x) == 0:
        return Trend(key, None, None, "permutation by subject", n, subjects)
    slope = float(np.cov(x, y, bias=True)[0, 1] / x.var())
    single = subjects == n and set(np.unique(y)) <= {0.0, 1.0}
    test = "Cochran-Armitage" if single else "permutation by subject"
    if subjects < FEW or np.ptp(y) == 0:
        return Trend(key, slope, None, test, n, subjects)
    return Trend(key, slope, _armitage(x, y) if single else _permuted(x, y, seed), test, n, subjects)


def _by_case(task: Task, scores: Scores) -> tuple[str, Array] | None:
    if task.name == "classify":
        return "accuracy", right(answers([c.records["accuracy"] for c in scores.cases])).astype(float)
    key = next((k for k in task.metrics if get(k, task).by_case), None)
    if key is None:
        return None
    records: list[Mapping[str, Any]] = [c.records[key] for c in scores.cases]
    values = values_of(records, ALL)
    return key, values if not np.isnan(values).all() else values_of(records, FOREGROUND)


def _armitage(x: Array, y: Array) -> float:
    """p of the score test that a share is linear in x, without continuity correction."""
    share = y.mean()
    z = ((x - x.mean()) @ y) / np.sqrt(share * (1 - share) * ((x - x.mean()) ** 2).sum())
    return float(2 * ndtr(-abs(z)))


def _permuted(x: Array, y: Array, seed: int) -> float:
    rng = np.random.default_rng(seed)
    centred, seen = x - x.mean(), abs(float((x - x.mean()) @ y))
    beyond = 0
    for start in range(0, ORDERS, BLOCK):
        orders = rng.permuted(np.tile(y, (min(BLOCK, ORDERS - start), 1)), axis=1)
        # Equal up to rounding is as extreme.
        beyond += int((np.abs(orders @ centred) >= seen * (1 - 1e-9)).sum())
    return (beyond + 1) / (ORDERS + 1)
