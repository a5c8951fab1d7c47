"""Metrics of a number, from truth, answer and interval of every case.

==========================  ==========================================================================================
what                        value
==========================  ==========================================================================================
`NotEvaluated`              as if the mean of all truths had been answered: what one knows who has not looked; its
                            interval holds nothing
answer without interval     leaves ``within``; n says so
truth of one value          r2 undefined
units that differ           refused
==========================  ==========================================================================================

Targets are the names of the numbers; ``all`` is the unweighted mean over them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from isocenter.data import NotEvaluated, Values
from isocenter.errors import LabelError
from isocenter.metrics.by_case import ALL, means
from isocenter.metrics.metric import Estimate, Metric, Record, mean_estimate, mean_of_targets, ratio
from isocenter.ops.array import Array


def record(prediction: Values | NotEvaluated, truth: Values) -> dict[str, Any]:
    """What one case adds.

    Returns
    -------
    ``truths`` (name to number), ``answers`` (name to number, None without an answer), ``values`` (name to the distance
    between them, None without an answer), ``bounds`` (name to [low, high], None without), ``unit``, and ``answered``
    False where it was not.

    Raises
    ------
    LabelError
        The answer lacks a number of the truth, or has it in another unit.
    """
    truths = {name: value.number for name, value in truth.items.items()}
    units = sorted({value.unit for value in truth.items.values()})
    unit = units[0] if len(units) == 1 else ""
    nothing: dict[str, Any] = dict.fromkeys(truths)
    if isinstance(prediction, NotEvaluated):
        return {"truths": truths, "answers": nothing, "values": dict(nothing), "bounds": dict(nothing), "unit": unit,
                "answered": False}
    found = {name: prediction.of(name) for name in truths}
    for name, value in found.items():
        if value.unit and truth.of(name).unit and value.unit != truth.of(name).unit:
            raise LabelError(f"{name} is answered in another unit", got=value.unit, wanted=truth.of(name).unit)
    return {
        "truths": truths,
        "answers": {name: value.number for name, value in found.items()},
        "values": {name: abs(value.number - truths[name]) for name, value in found.items()},
        "bounds": {n: None if v.low is None or v.high is None else [v.low, v.high] for n, v in found.items()},
        "unit": unit,
    }


def sides(records: Sequence[Record], name: str) -> tuple[Array, Array]:
    """Truth and answer (n,) of one name, NaN where the truth lacks it; without an answer the mean of the truths."""
    truth = np.array([r["truths"].get(name, np.nan) for r in records], float)
    answer = np.array([np.nan if r["answers"].get(name) is None else r["answers"][name] for r in records], float)
    known = ~np.isnan(truth)
    blind = known & np.isnan(answer)
    return truth, np.where(blind, truth[known].mean() if known.any() else np.nan, answer)


def _by_name(records: Sequence[Record], made: Callable[[str, str], Estimate]) -> dict[str, Estimate]:
    names = list(dict.fromkeys(name for r in records for name in r["truths"]))
    found = {name: made(name, next(str(r["unit"]) for r in records if name in r["truths"])) for name in names}
    return {**found, ALL: mean_of_targets(found, names)} if names else {}


def _rmse(records: Sequence[Record], positive: str | None = None) -> Mapping[str, Estimate]:
    def made(name: str, unit: str) -> Estimate:
        truth, answer = sides(records, name)
        entered = ~np.isnan(truth)
        squares = np.where(entered, (answer - truth) ** 2, 0.0)
        return Estimate(lambda w: np.sqrt(ratio(w @ squares, w @ entered.astype(float))), entered, unit)

    return _by_name(records, made)


def _r2(records: Sequence[Record], positive: str | None = None) -> Mapping[str, Estimate]:
    def made(name: str, unit: str) -> Estimate:
        truth, answer = sides(records, name)
        entered = ~np.isnan(truth)
        # About the mean of all: what is left after it is small against the numbers themselves.
        t = np.where(entered, truth - (truth[entered].mean() if entered.any() else 0.0), 0.0)
        squares = np.where(entered, (answer - truth) ** 2, 0.0)
        scale = float((t**2).sum())

        def at(w: Array) -> Array:
            n, total = w @ entered.astype(float), w @ t
            spread = w @ t**2 - total * ratio(total, n)
            return 1.0 - ratio(w @ squares, np.where(spread > 1e-12 * scale, spread, 0.0))

        return Estimate(at, entered)

    return _by_name(records, made)


def _within(records: Sequence[Record], positive: str | None = None) -> Mapping[str, Estimate]:
    def made(name: str, unit: str) -> Estimate:
        return mean_estimate(np.array([_held(r, name) for r in records], float))

    return _by_name(records, made)


def _held(record_: Record, name: str) -> float:
    if name not in record_["truths"]:
        return float("nan")
    if not record_.get("answered", True):
        return 0.0
    bounds = record_["bounds"][name]
    return float("nan") if bounds is None else float(bounds[0] <= record_["truths"][name] <= bounds[1])


MAE = Metric(
    "mae", "", "lower", (0.0, None), "mean distance between answer and truth",
    "Willmott and Matsuura, Climate Research 2005", record, means, True,
)
RMSE = Metric(
    "rmse", "", "lower", (0.0, None), "root of the mean squared distance: large mistakes count more", "", record, _rmse,
)
R2 = Metric(
    "r2", "", "higher", (None, 1.0),
    "share of the truth's variance that is explained; 0 is what answering the mean of these cases would reach",
    "Kvalseth, The American Statistician 1985", record, _r2,
)
WITHIN = Metric(
    "within", "", "higher", (0.0, 1.0),
    "share of cases whose true number lies in the interval that was answered; intervals are made for 90 %",
    "Lei et al., JASA 2018", record, _within,
)
REGRESS = (MAE, RMSE, R2, WITHIN)
