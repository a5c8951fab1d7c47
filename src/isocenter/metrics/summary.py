"""From records of cases to numbers with n, interval and flags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypedDict, Unpack

import numpy as np
from scipy.special import stdtrit

from isocenter.data import CaseScore, Interval, Score, Scores, Task
from isocenter.errors import InputError, UsageError
from isocenter.metrics.metric import Estimate, Metric, mean_estimate, ratio
from isocenter.metrics.ranking import logit_interval
from isocenter.metrics.registry import ANSWERED, COVERAGE, get
from isocenter.metrics.resample import collected, groups_of, percentile_interval, weights, wilson
from isocenter.ops.array import Array

FEW = 10
KIND = ("bootstrap percentile, expanded for few groups (auc, average_precision: on the logit scale); where groups are "
        "single cases Wilson for shares and DeLong for auc")
ABSTAIN = ("wrong", "report")
Bounds = tuple[float | None, float | None, list[str]]


@dataclass(frozen=True)
class Drawn:
    """One target's estimate with its value and its resampled values."""

    estimate: Estimate
    value: float
    draws: Array


class Sampling(TypedDict, total=False):
    """How intervals are made: ``level`` (0.95), ``resamples`` (2000), ``seed`` (0)."""

    level: float
    resamples: int
    seed: int


def summarise(
    task: Task,
    case_scores: Sequence[CaseScore],
    *,
    method: str,
    split: str,
    positive: str | None = None,
    abstain: str = "wrong",
    **sampling: Unpack[Sampling],
) -> Scores:
    """All metrics of a task over cases, each with n, interval and flags.

    Intervals resample whole groups. Flags:

    ``few_subjects``        fewer than 10 groups enter
    ``one_subject``         fewer than 2: no interval
    ``few_in_class``        fewer than 10 cases of the rarer kind
    ``undefined``           no value
    ``undefined_classes``   ``all`` leaves out classes without a value
    ``no_positive``         nobody named the positive of two classes
    ``mixed_units``         mm and px in one set: all in px
    ``no_variation``        every resample says the same
    ``unstable``            more than 1 in 20 resamples have no value

    Parameters
    ----------
    task
        Whose metrics.
    case_scores
        One a case, with the records that `records` gave.
    method, split
        Names to carry along.
    positive
        classify: the class that one-sided metrics lead with; None: as `positive_of` says.
    abstain
        ``"wrong"``: an unanswered case counts as wrong or empty. ``"report"``: also adds each metric over answered
        cases (key + ``_answered``) and ``coverage``.
    **sampling
        ``level``, ``resamples``, ``seed`` of the intervals.

    Raises
    ------
    InputError
        No case, one case twice, or a case without the record of a metric.
    UsageError
        Another word for `abstain`, or a level or number of resamples out of range.
    """
    if abstain not in ABSTAIN:
        raise UsageError("cannot summarise so", got=f"abstain={abstain}", wanted=" or ".join(ABSTAIN))
    how = settled(sampling)
    checked(task, case_scores)
    metrics = _scored(task, case_scores, positive, how)
    if abstain == "report":
        answered = [c for c in case_scores if not c.note]
        only = _scored(task, answered, positive, how) if answered else {}
        metrics |= {key + ANSWERED: {t: replace(s, flags=(*s.flags, "answered_only")) for t, s in targets.items()}
                    for key, targets in only.items()}
        metrics["coverage"] = {"all": _coverage(case_scores, how)}
    count = len(np.unique(groups_of(case_scores)))
    interval = Interval(KIND, "group", how.level, how.resamples)
    return Scores(task.name, method, split, metrics, tuple(case_scores), count, interval=interval,
                  notes=_notes(case_scores))


def _notes(cases: Sequence[CaseScore]) -> tuple[str, ...]:
    silent = [c.note.removeprefix("not evaluated: ") for c in cases if c.note]
    why = f"{'the first: ' if len(set(silent)) > 1 else ''}{silent[0]}" if silent else ""
    notes = (f"{len(silent)} of {len(cases)} cases not evaluated, counted as wrong or empty ({why})",) if silent else ()
    unknown = ("patients unknown: a case without a group is its own",) if not all(c.group for c in cases) else ()
    return notes + unknown


@dataclass(frozen=True)
class Settled:
    """`Sampling` with its defaults."""

    level: float = 0.95
    resamples: int = 2000
    seed: int = 0


def settled(sampling: Sampling) -> Settled:
    """`Sampling` with its defaults; UsageError where a value is out of range."""
    how = Settled(**sampling)
    if not 0 < how.level < 1 or how.resamples < 1:
        raise UsageError("cannot resample so", got=f"level={how.level}, resamples={how.resamples}",
                         wanted="0 < level < 1, resamples >= 1")
    return how


def checked(task: Task, cases: Sequence[CaseScore]) -> None:
    """InputError unless there are cases, each once and with a record of every metric."""
    if not cases:
        raise InputError("no case to summarise", wanted="at least 1")
    if len({c.case for c in cases}) != len(cases):
        raise InputError("a case is scored twice", got=f"{len(cases)} scores")
    for c in cases:
        missing = [k for k in task.metrics if k not in c.records]
        if missing:
            raise InputError("a case has no record of a metric", where=c.case, wanted=", ".join(missing))


def drawn(estimates: Mapping[str, Estimate], groups: Array, resamples: int, seed: int) -> dict[str, Drawn]:
    """Value and resampled values of every target; a target that is the mean of others follows from theirs."""
    own = {id(e): e for e in estimates.values() if not e.parts}
    one = np.ones((1, len(groups)))
    values = {i: float(e.at(one)[0]) for i, e in own.items()}
    blocks = collected(weights(groups, resamples, seed), [e.at for e in own.values()])
    draws = {i: _centred(d, values[i]) if e.centred else d for (i, e), d in zip(own.items(), blocks, strict=True)}
    out: dict[str, Drawn] = {}
    for target, e in estimates.items():
        parts = [id(estimates[p]) for p in e.parts]
        if parts:
            value, spread = _mean([np.array([values[i]]) for i in parts])[0], _mean([draws[i] for i in parts])
        else:
            value, spread = values[id(e)], draws[id(e)]
        out[target] = Drawn(e, float(value), spread)
    return out


def _centred(draws: Array, value: float) -> Array:
    known = draws[~np.isnan(draws)]
    return draws if not len(known) else draws - known.mean() + value


def n_groups(estimate: Estimate, groups: Array) -> int:
    """Number of groups with a case that entered."""
    return len(np.unique(groups[estimate.entered]))


def _mean(parts: Sequence[Array]) -> Array:
    stack = np.array(parts)
    known = ~np.isnan(stack)
    return ratio(np.where(known, stack, 0.0).sum(axis=0), known.sum(axis=0))


def _scored(task: Task, cases: Sequence[CaseScore], positive: str | None, how: Settled) -> dict[str, dict[str, Score]]:
    groups = groups_of(cases)
    tables = {k: get(k, task).summary([c.records[k] for c in cases], positive) for k in task.metrics}
    # One pass over the weights serves all metrics.
    flat = {f"{k}\0{t}": e for k, table in tables.items() for t, e in _prefixed(k, table).items()}
    found = drawn(flat, groups, how.resamples, how.seed)
    return {
        k: {t: _score(get(k, task), found[f"{k}\0{t}"], found, groups, how.level) for t in table}
        for k, table in tables.items()
    }


def scored(metric: Metric, estimates: Mapping[str, Estimate], cases: Sequence[CaseScore], how: Settled
           ) -> dict[str, Score]:
    """Estimates over `cases` as numbers with n, interval and flags, by the rules of `summarise`."""
    groups = groups_of(cases)
    found = drawn(estimates, groups, how.resamples, how.seed)
    return {t: _score(metric, d, found, groups, how.level) for t, d in found.items()}


def _prefixed(key: str, table: Mapping[str, Estimate]) -> dict[str, Estimate]:
    return {t: replace(e, parts=tuple(f"{key}\0{p}" for p in e.parts)) if e.parts else e for t, e in table.items()}


def _score(metric: Metric, d: Drawn, found: Mapping[str, Drawn], groups: Array, level: float) -> Score:
    e, n = d.estimate, int(d.estimate.entered.sum())
    if np.isnan(d.value):
        return Score(None, None, None, n, e.unit, (*e.flags, "undefined"))
    count = n_groups(e, groups)
    flags = list(e.flags)
    if any(np.isnan(found[p].value) for p in e.parts):
        flags.append("undefined_classes")
    if count < FEW:
        flags.append("few_subjects")
    if e.rarer is not None and e.rarer < FEW:
        flags.append("few_in_class")
    if count < 2:
        return Score(d.value, None, None, n, e.unit, (*flags, "one_subject"))
    low, high, more = _bounds(metric, d, groups, count, level)
    return Score(d.value, low, high, n, e.unit, (*flags, *more))


def _bounds(metric: Metric, d: Drawn, groups: Array, count: int, level: float) -> Bounds:
    e = d.estimate
    if e.exact is not None and n_single(groups):
        return (*e.exact(level), [])
    lost = float(np.isnan(d.draws).mean())
    if lost == 1:
        return None, None, ["unstable"]
    flags = ["unstable"] if lost > 0.05 else []
    least, most = metric.range
    low, high = percentile_interval(d.draws, level, count)
    if e.logit and low < high:
        low, high = _on_logit(d, level, count)
    if e.by_chance is not None and least is not None and e.by_chance(level):
        low = least
    if low == high:
        flags.append("no_variation")
        # A faultless sample does not prove a faultless method: as many cases without a failure still allow some.
        cases = count if e.rarer is None else max(min(count, e.rarer), 1)
        if d.value == most and least is not None:
            low = least + (most - least) * wilson(cases, cases, level)[0]
        elif d.value == least and most is not None:
            high = least + (most - least) * wilson(0, cases, level)[1]
    low = low if least is None else max(low, least)
    high = high if most is None else min(high, most)
    # A shifted or skewed bootstrap never leaves out the estimate itself.
    return min(low, d.value), max(high, d.value), flags


def _on_logit(d: Drawn, level: float, count: int) -> tuple[float, float]:
    error = float(np.nanstd(d.draws)) * np.sqrt(count / (count - 1))
    inside = min(max(d.value, 1e-9), 1 - 1e-9)
    return logit_interval(inside, error, -float(stdtrit(count - 1, (1 - level) / 2)))


def n_single(groups: Array) -> bool:
    """Whether every group is a single case."""
    return len(np.unique(groups)) == len(groups)


def _coverage(cases: Sequence[CaseScore], how: Settled) -> Score:
    groups = groups_of(cases)
    values = np.array([0.0 if c.note else 1.0 for c in cases])
    estimate = mean_estimate(values, exact=lambda level: wilson(float(values.sum()), len(values), level))
    found = drawn({"all": estimate}, groups, how.resamples, how.seed)
    return _score(COVERAGE, found["all"], found, groups, how.level)
