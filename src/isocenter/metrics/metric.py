"""What a metric is: a pair of functions, record and summary, and how its numbers are to be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from isocenter.ops.array import Array

Record: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Estimate:
    """One number of one target, as a function of how often each case counts.

    Parameters
    ----------
    at
        Weights (r, n) to values (r,), NaN where undefined. n runs over all records in their order.
    entered
        (n,) bool: which cases the number rests on.
    unit
        As in `isocenter.data.Score`.
    flags
        Which this target carries whatever its value.
    exact
        Level to (low, high) by a formula that holds where every group is a single case; None: the bootstrap serves.
    centred
        Whether resampled values are moved to centre on the estimate: a resample takes the chance in the data for truth,
        and so lies higher on average.
    logit
        Whether the bootstrap interval is made on the logit scale, which suits numbers near 1.
    by_chance
        Level to whether the least possible value (a fault of 0) may be the true one; then the interval reaches it.
    rarer
        Cases of the rarer kind, where the number needs two kinds; None where it does not.
    parts
        When set, the number is the unweighted mean of these targets and `at` is not asked.
    """

    at: Callable[[Array], Array]
    entered: Array
    unit: str = ""
    flags: tuple[str, ...] = ()
    exact: Callable[[float], tuple[float, float]] | None = None
    centred: bool = False
    logit: bool = False
    by_chance: Callable[[float], bool] | None = None
    rarer: int | None = None
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Metric:
    """One metric.

    Parameters
    ----------
    key
        Its name in tables and JSON.
    unit
        Its usual unit; a set of unknown spacing has px instead.
    better
        ``"higher"`` or ``"lower"``.
    range
        Least and largest possible value; None for no bound.
    text, source
        What it says, with its rules for degenerate cases, as one line; where the definition stands.
    record
        What one case adds, JSON-able and small. segment: one `isocenter.metrics.segment.Region` to a number, None where
        the case does not enter, or `Length`. detect, instances: one `isocenter.metrics.detect.BoxSide` or
        `isocenter.metrics.instances.MaskSide` to a mapping that holds ``true`` and what the summary needs. classify:
        (prediction, truth) to the record. explain: the same.
    summary
        (records, positive) to target to `Estimate`.
    by_case
        Whether each case has a value of its own (`isocenter.metrics.by_case.values_of` gives it).
    """

    key: str
    unit: str
    better: str
    range: tuple[float | None, float | None]
    text: str
    source: str
    record: Callable[..., Any]
    summary: Callable[[Sequence[Record], str | None], Mapping[str, Estimate]]
    by_case: bool = False


def mean_estimate(values: Array, **more: Any) -> Estimate:
    """The mean over cases of `values` (n,), NaN where a case does not enter; `more` goes to `Estimate`."""
    entered = ~np.isnan(values)
    filled = np.where(entered, values, 0.0)
    return Estimate(lambda w: ratio(w @ filled, w @ entered.astype(float)), entered, **more)


def mean_of_targets(targets: Mapping[str, Estimate], names: Sequence[str]) -> Estimate:
    """The unweighted mean over targets; n counts the cases that entered any."""
    chosen = [targets[n] for n in names]
    entered = np.any([e.entered for e in chosen], axis=0)
    rarer = min((e.rarer for e in chosen if e.rarer is not None), default=None)
    tests = [e.by_chance for e in chosen if e.by_chance is not None]
    by_chance = (lambda level: all(t(level) for t in tests)) if tests else None
    return Estimate(_never, entered, chosen[0].unit, chosen[0].flags, logit=chosen[0].logit, by_chance=by_chance,
                    rarer=rarer, parts=tuple(names))


def ratio(top: Array, bottom: Array) -> Array:
    """top / bottom, NaN where bottom is 0."""
    out = np.full(np.shape(top), np.nan)
    return np.asarray(np.divide(top, bottom, out=out, where=np.asarray(bottom) != 0))


def _never(weights: Array) -> Array:
    return np.full(len(weights), np.nan)
