"""Temperature and other maps to probabilities, chosen on val."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from isocenter.data import Plan
from isocenter.errors import RecipeError, nearest
from isocenter.fit.validation import log_loss
from isocenter.infer.classifying import probabilities
from isocenter.metrics.recalibration import Check, Map, gap
from isocenter.metrics.recalibration import checked as again
from isocenter.ops import calibration
from isocenter.ops.array import Array

# How logits become probabilities.
KINDS = ("temperature", calibration.PLATT, calibration.ISOTONIC, "none")
# A perfectly separated val would ask for certainty; nobody is that sure.
SHARPEST, SOFTEST = 0.25, 20.0


def chosen(plan: Plan, logits: Array, truth: Array, groups: Sequence[str]) -> tuple[Plan, dict[str, str]]:
    """The plan with how logits become probabilities, by all of val, and where that came from.

    Each choice is first made on half of val by group and looked at on the other half: one that makes the expected
    calibration error there larger is not taken, and logits stay as they are.

    Parameters
    ----------
    plan
        Its ``settings["calibrate"]`` may name one of `KINDS`; default temperature.
    logits, truth
        (n, classes) of val.
    groups
        (n,) what must not be torn apart.

    Raises
    ------
    RecipeError
        The plan names another kind.
    """
    asked = str(plan.settings.get("calibrate", KINDS[0]))
    if asked not in KINDS:
        raise RecipeError("no such calibration", got=asked, remedy=nearest(asked, KINDS))
    bare = replace(plan, settings={k: v for k, v in plan.settings.items() if k != "calibration"}, temperature=1.0)
    name = "plan.temperature" if asked in ("temperature", "none") else "plan.settings.calibration"
    if asked == "none":
        return bare, {name: "recipe: logits as they are"}
    check = checked(bare, asked, logits, truth, groups)
    said = f"val: {asked} of the least loss over {len(logits)} cases"
    if check is not None and check.harms:
        return bare, {name: f"val: logits as they are, as {asked} {check.text()}"}
    return fitted(bare, asked, logits, truth), {name: said if check is None else f"{said}; {check.text()}"}


def fitted(plan: Plan, kind: str, logits: Array, truth: Array) -> Plan:
    """The plan with the temperature, or the map in ``settings["calibration"]``, that fits logits and truth best."""
    if kind == "temperature":
        return replace(plan, temperature=temperature(logits, truth, multilabel=plan.multilabel))
    make = calibration.platt if kind == calibration.PLATT else calibration.isotonic
    found: dict[str, Any] = make(logits, truth, multilabel=plan.multilabel)
    return replace(plan, settings={**plan.settings, "calibration": found})


def checked(plan: Plan, kind: str, logits: Array, truth: Array, groups: Sequence[str]) -> Check | None:
    """As `metrics.recalibration.checked`, of a plan and a kind."""


    def fit(some: Array, true: Array) -> Map:
        return partial(_applied, fitted(plan, kind, some, true))

    return again((logits, truth), groups, bare=partial(_applied, plan), fit=fit, multilabel=plan.multilabel)


def error(plan: Plan, logits: Array, truth: Array) -> float:
    """As `metrics.recalibration.gap`, of logits."""
    return gap(_applied(plan, logits), truth, multilabel=plan.multilabel)


def _applied(plan: Plan, logits: Array) -> Array:
    return np.stack([probabilities(row, plan) for row in logits])


def temperature(logits: Array, truth: Array, *, multilabel: bool = False) -> float:
    """The divisor of the logits with the least log loss (Guo et al. 2017), by golden-section search in its logarithm.

    Parameters
    ----------
    logits, truth
        (n, classes).
    """
    low, high = np.log(SHARPEST), np.log(SOFTEST)
    golden = (np.sqrt(5) - 1) / 2

    def cost(t: float) -> float:
        return log_loss(logits / np.exp(t), truth, multilabel=multilabel)

    a, b = high - golden * (high - low), low + golden * (high - low)
    fa, fb = cost(a), cost(b)
    for _ in range(60):
        if fa <= fb:
            high, b, fb = b, a, fa
            a = high - golden * (high - low)
            fa = cost(a)
        else:
            low, a, fa = a, b, fb
            b = low + golden * (high - low)
            fb = cost(b)
    best = float(np.exp((low + high) / 2))
    return best if cost(np.log(best)) <= cost(0.0) else 1.0
