"""What a plan may say, its settings head by head: a bundle comes from anywhere, and a plan is edited by people."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from isocenter.data import Normalisation, Plan
from isocenter.ops import calibration, harmonise
from isocenter.ops.refining import SIMILARITIES

# Least of a grid, and most of it and of others: beyond these an answer would take all memory or for ever.
LEAST = 1e-6
MOST = {"spacing": 1e6, "size": 1 << 16, "patch": 1 << 16, "divisor": 1024, "channels": 4096, "overlap": 0.95}
# Where a setting has one number for each axis of the plan.
AXES = -1


@dataclass(frozen=True)
class Range:
    """What one setting may be.

    Parameters
    ----------
    low, high
        Least and greatest number.
    whole
        Whole numbers only.
    count
        How many numbers: `AXES`, another number of them, or 0 for a number by itself.
    needed
        Without it there is no answer.
    """

    low: float = 0.0
    high: float = 1.0
    whole: bool = False
    count: int = 0
    needed: bool = False

    def holds(self, value: Any, rank: int) -> bool:
        """Whether a value is such a number, or so many of them."""
        if not self.count:
            return self._one(value)
        wanted = rank if self.count == AXES else self.count
        return isinstance(value, Sequence) and len(value) == wanted and all(map(self._one, value))

    def said(self, rank: int) -> str:
        """In words."""
        wanted = rank if self.count == AXES else self.count
        many = f"{wanted} " if wanted else "a "
        return f"{many}{'whole ' if self.whole else ''}number{'s' if wanted > 1 else ''} {self.low:g} to {self.high:g}"

    def _one(self, value: Any) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        # NaN is in no range.
        return bool(self.low <= value <= self.high) and (not self.whole or value == int(value))


SHARE = Range()
# A window of less takes one call for hardly a pixel; larger ones meet the limit of memory.
SIDES = Range(16, 1 << 16, whole=True, count=AXES)
OBJECTS = Range(1, 100_000, whole=True)
OUTPUTS = Range(1, 4096, whole=True)
FLAG = "true or false"
# By `Plan.kind`. Settings without a line are used by nothing here.
RANGES: dict[str, dict[str, Range | str]] = {
    "contours": {
        "outputs": Range(1, 4096, whole=True, needed=True), "scale": Range(1e-3, 1e5, needed=True),
        "diameter": Range(1e-3, 1e5), "probability": SHARE, "score": SHARE, "prominence": SHARE,
        "window": Range(16, 1 << 16, whole=True), "margin": Range(0, 1 << 15, whole=True), "counterstain": FLAG,
    },
    "detect": {
        "least": SHARE, "overlap": SHARE, "most": OBJECTS, "candidates": OBJECTS, "windows": FLAG, "window": SIDES,
        "reach": Range(0.0, 1e5, count=AXES), "seen": Range(1, 1e6, count=AXES), "pixel": Range(1e-6, 1e4, count=AXES),
    },
    "regress": {
        "mean": Range(-1e30, 1e30, needed=True), "sd": Range(1e-30, 1e30, needed=True), "reach": Range(0.0, 1e30),
    },
    "register": {
        "outputs": OUTPUTS, "window": Range(3, 99, whole=True, needed=True), "smoothness": Range(0, 1e6, needed=True),
        "labels": Range(0, 1e3), "refine": Range(0, 1000, whole=True), "least": Range(-1.0, 1.0),
    },
    "rcnn": {
        "features": Range(1, 4096, whole=True, needed=True), "bins": Range(1, 256, whole=True, count=2, needed=True),
        "proposals": Range(1, 100_000, whole=True, count=2, needed=True), "least": Range(needed=True),
        "limit": Range(needed=True), "most": Range(1, 100_000, whole=True, needed=True), "window": SIDES,
    },
}  # fmt: skip
STRIDE, ANCHOR, SPREAD = Range(1, 1024, whole=True), Range(1e-2, 1e5, count=2), Range(1e-6, 1e3, count=2)
# Levels of a pyramid, anchors of a level, heads: more than any has, few enough to be looped over.
MANY = 64


def flaws(plan: Plan) -> list[str]:
    """What about a plan cannot be: fields by name, else a sentence for each of its settings; empty where all is well.

    Parameters
    ----------
    plan
        Of the right types; `settings` holds whatever a file held.
    """
    wrong = [name for name, sound in _sound(plan).items() if not sound]
    if wrong:
        return wrong
    ranges = RANGES.get(plan.kind, {"outputs": OUTPUTS})
    found = [flaw for name, wanted in ranges.items() if (flaw := _flaw(plan, name, wanted))]
    if plan.kind == "contours" and not found and plan.outputs != len(plan.classes) + 1 + plan.rank:
        found.append(f"settings.outputs is {plan.outputs}, not {len(plan.classes) + 1 + plan.rank}")
    if plan.kind == "register" and plan.settings.get("similarity") not in SIMILARITIES:
        found.append(f"settings.similarity is {_short(plan.settings.get('similarity'))}")
    if plan.task == "classify" and "calibration" in plan.settings:
        found += filter(None, [calibration.flaw(plan.settings["calibration"], len(plan.classes))])
    return found + (_pyramid(plan.settings) if plan.kind == "rcnn" else [])


def _sound(plan: Plan) -> dict[str, bool]:
    grids = {"spacing": plan.spacing or (), "size": plan.size or (), "patch": plan.patch, "divisor": plan.divisor}
    fits = {
        name: len(grid) in (0, plan.rank) and all(LEAST <= v <= MOST[name] for v in grid)
        for name, grid in grids.items()
    }
    how = plan.normalisation
    return fits | {
        "rank": plan.rank in (2, 3),
        "channels": 0 < plan.channels <= MOST["channels"],
        "classes": len(plan.classes) > 0,
        "normalisation": all(v is None or math.isfinite(v) for v in (how.low, how.high, how.mean, how.sd))
        and (how.sd is None or how.sd > 0) and _marked(how, plan.channels),
        "overlap": 0 <= plan.overlap <= MOST["overlap"],
        "mirror": set(plan.mirror) <= set("zyx"[-plan.rank :]),
        "smallest": 0 <= plan.smallest < math.inf,
        "temperature": 0 < plan.temperature < math.inf,
        "thresholds": len(plan.thresholds) in (0, 1, len(plan.classes)) and all(map(math.isfinite, plan.thresholds)),
        "tolerance": 0 <= plan.tolerance < math.inf,
    }


def _marked(how: Normalisation, channels: int) -> bool:
    if how.kind != "landmarks":
        return not how.landmarks
    n = len(harmonise.PERCENTILES)
    whole = len(how.landmarks) == n * channels and all(map(math.isfinite, how.landmarks))
    return whole and all(a <= b for i, (a, b) in enumerate(pairwise(how.landmarks), 1) if i % n)


def _flaw(plan: Plan, name: str, wanted: Range | str) -> str:
    value = plan.settings.get(name)
    if isinstance(wanted, str):
        return "" if value is None or isinstance(value, bool) else f"settings.{name} is {_short(value)}, not {wanted}"
    # What has a number an axis may be null: unknown, or as usual.
    free = not wanted.needed and (name not in plan.settings or wanted.count == AXES)
    if (value is None and free) or wanted.holds(value, plan.rank):
        return ""
    return f"settings.{name} is {_short(value)}, not {wanted.said(plan.rank)}"


def _pyramid(settings: Mapping[str, Any]) -> list[str]:
    strides, anchors, spreads = (settings.get(name) for name in ("strides", "anchors", "spreads"))
    if not isinstance(strides, list | tuple) or not _each(strides, STRIDE):
        return [f"settings.strides is {_short(strides)}, not whole numbers 1 to 1024"]
    found = []
    levels = anchors if isinstance(anchors, list | tuple) else ()
    if len(levels) != len(strides) or not all(_each(level, ANCHOR) for level in levels):
        found.append(f"settings.anchors is {_short(anchors)}, not pairs of sizes for each stride")
    if not _each(spreads, SPREAD):
        found.append(f"settings.spreads is {_short(spreads)}, not a pair for each head")
    return found


def _each(values: Any, wanted: Range) -> bool:
    return isinstance(values, list | tuple) and 0 < len(values) <= MANY and all(wanted.holds(v, 2) for v in values)


def _short(value: Any) -> str:
    text = "missing" if value is None else repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
