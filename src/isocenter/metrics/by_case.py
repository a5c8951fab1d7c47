"""The summary of every metric that each case has a value of: the mean over cases, then over classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from isocenter.metrics.metric import Estimate, Record, mean_estimate, mean_of_targets, ratio
from isocenter.ops.array import Array

FOREGROUND = "foreground"
ALL = "all"


def means(records: Sequence[Record], positive: str | None = None) -> dict[str, Estimate]:
    """The mean over cases per target, and the unweighted mean over classes under ``all``.

    Parameters
    ----------
    records
        Each holds ``values`` (class to number, None where the case does not enter); where the truth has several
        classes, their ``union``, or in ``merged`` the name under which all stand together among the values; where
        lengths are involved, ``unit`` and the same again under ``px``; for objects ``true``, their number by class; for
        numbers ``truths``, the true ones by name.
    positive
        Not used: a mean over cases is not one-sided.
    """
    table, unit, flags = tables(records)
    found = {t: mean_estimate(v, unit=unit, flags=flags) for t, v in table.items()}
    classes = occurring(records, found)
    if classes and ALL not in found:
        found[ALL] = mean_of_targets(found, classes)
    return found


def occurring(records: Sequence[Record], targets: Iterable[str]) -> list[str]:
    """The targets over which ``all`` is the mean: single classes; of objects those that occur in the truth, if any."""
    together = {ALL, *(FOREGROUND for r in records if "union" in r), *(r["merged"] for r in records if "merged" in r)}
    classes = [t for t in targets if t not in together]
    held = {c for r in records for c, n in r.get("true", {}).items() if n}
    return [c for c in classes if c in held] or classes


def tables(records: Sequence[Record]) -> tuple[dict[str, Array], str, tuple[str, ...]]:
    """Per target the values of all cases (NaN where a case does not enter), their unit, and flags.

    Where cases differ in unit, all are taken in pixels and flagged ``mixed_units``. Targets are those of the cases that
    were answered, because an empty answer knows no region names of its own.
    """
    units = {r.get("unit", "") for r in records}
    mixed = len(units) > 1
    rows = [_row(r.get("px", r) if mixed else r) for r in records]
    answered = [row for row, r in zip(rows, records, strict=True) if r.get("answered", True)]
    names = dict.fromkeys(name for row in answered or rows for name in row)
    table = {n: np.array([np.nan if row.get(n) is None else row[n] for row in rows], float) for n in names}
    table = {n: _guessed(values, records, n) for n, values in table.items()}
    return table, ("px" if mixed else next(iter(units), "")), ("mixed_units",) if mixed else ()


def _guessed(values: Array, records: Sequence[Record], name: str) -> Array:
    """Of numbers (``truths``) a case without an answer is as far off as the mean of all truths is."""
    truth = np.array([r.get("truths", {}).get(name, np.nan) for r in records], float)
    known = ~np.isnan(truth)
    return np.where(known & np.isnan(values), np.abs(truth - truth[known].mean()), values) if known.any() else values


def values_of(records: Sequence[Record], target: str) -> Array:
    """(n,) value of each case for one target, NaN where it does not enter; ``all`` is the mean over its classes."""
    table = tables(records)[0]
    if target in table:
        return table[target]
    stack = np.array([table[t] for t in occurring(records, table)])
    if target != ALL or not len(stack):
        return np.full(len(records), np.nan)
    known = ~np.isnan(stack)
    total = np.where(known, stack, 0.0).sum(axis=0)
    return ratio(total, known.sum(axis=0))


def _row(view: Mapping[str, Any]) -> dict[str, float | None]:
    return {**view["values"], **({FOREGROUND: view["union"]} if "union" in view else {})}
