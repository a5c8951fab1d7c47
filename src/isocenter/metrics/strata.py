"""Where a mean hides something: regions by thirds of their size, classes by how often they occur."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from isocenter.data import CaseScore, Score, Scores
from isocenter.metrics import sizes
from isocenter.metrics.by_case import FOREGROUND
from isocenter.metrics.metric import Estimate, Metric, Record, ratio
from isocenter.metrics.registry import get
from isocenter.metrics.segment import SIZED
from isocenter.metrics.sizes import THIRDS
from isocenter.metrics.summary import Settled, scored
from isocenter.ops.array import Array

# The metric that says how well a class was found, by task.
LEADING = {"segment": SIZED, "detect": sizes.KEY, "instances": sizes.KEY}


@dataclass(frozen=True)
class ClassRow:
    """One class of a set.

    Parameters
    ----------
    name
        Of the class.
    cases
        That hold it.
    true, found, false
        Objects of the truth, those found at IoU 0.5, and answered ones that are none; None of regions, which are one a
        case.
    score
        Recall at IoU 0.5 of objects, Dice of regions; None where the class was not scored.
    """

    name: str
    cases: int
    true: int | None
    found: int | None
    false: int | None
    score: Score | None

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def by_class(scores: Scores) -> tuple[ClassRow, ...]:
    """Every class of the truth, the rarest first: by objects, of regions by the cases that hold it.

    Empty for tasks without objects or regions, and for records that do not say.
    """
    key = LEADING.get(scores.task, "")
    records = [c.records[key] for c in scores.cases if key in c.records]
    held = "sizes" if key == SIZED else "true"
    cases: dict[str, int] = {}
    for record in records:
        for name, n in record.get(held, {}).items():
            cases[name] = cases.get(name, 0) + bool(n)
    told = scores.metrics.get(key, {})
    if key == SIZED:
        rows = [ClassRow(name, n, None, None, None, told.get(name)) for name, n in cases.items()]
        return tuple(sorted(rows, key=lambda row: row.cases))
    return tuple(
        ClassRow(name, cases[name], true, hits, called - hits, told.get(name))
        for name, (true, hits, called) in sizes.counts(records).items()
    )


def by_size(scores: Scores, *, seed: int = 0) -> dict[str, Score]:
    """Recall of objects or Dice of regions by thirds of the true size, all classes together; the limits are flags.

    The thirds are those of these cases' own objects or regions. Empty where nothing is there to be sized.

    Parameters
    ----------
    scores
        Of segment, detect or instances.
    seed
        Of the resampling.
    """
    key = LEADING.get(scores.task, "")
    if key != SIZED:
        return {t: s for t, s in scores.metrics.get(key, {}).items() if t in THIRDS}
    cases = [c for c in scores.cases if "sizes" in c.records.get(key, {})]
    estimates = _thirds(cases)
    how = Settled(scores.interval.level, scores.interval.resamples, seed)
    metric: Metric = get(key, scores.task)
    return scored(metric, estimates, cases, how) if estimates else {}


def _thirds(cases: Sequence[CaseScore]) -> dict[str, Estimate]:
    records = [c.records[SIZED] for c in cases]
    measured = all(r["pixel"] is not None for r in records)
    rows = [_regions(r, measured=measured) for r in records]
    every = np.concatenate([row[:, 0] for row in rows]) if rows else np.zeros(0)
    if not len(every):
        return {}
    low, high = np.quantile(every, [1 / 3, 2 / 3], method="inverted_cdf")
    unit = records[0]["pixel_unit"] if measured else "px"
    said = (f"up to {low:.4g} {unit}", f"above {low:.4g} up to {high:.4g} {unit}", f"above {high:.4g} {unit}")
    top, n = np.zeros((3, len(rows))), np.zeros((3, len(rows)))
    for i, row in enumerate(rows):
        third = np.searchsorted([low, high], row[:, 0], side="left")
        top[:, i], n[:, i] = (np.bincount(third, w, 3) for w in (row[:, 1], None))
    return {name: _mean(top[k], n[k], said[k]) for k, name in enumerate(THIRDS) if n[k].any()}


def _mean(top: Array, n: Array, flag: str) -> Estimate:
    return Estimate(lambda w: ratio(w @ top, w @ n), n > 0, flags=(f"size {flag}",))


def _regions(record: Record, *, measured: bool) -> Array:
    """float64 (n, 2): size and Dice of each region that the truth holds."""
    values: Mapping[str, Any] = {FOREGROUND: record.get("union"), **record["values"]}
    one = record["pixel"] if measured else 1.0
    # An answer that is no answer knows no classes; what the truth holds was missed all the same.
    rows = [(n * one, values.get(name) or 0.0) for name, n in record["sizes"].items() if n]
    return np.asarray(rows, np.float64).reshape(-1, 2)
