"""Temperature and other maps to probabilities, chosen on val."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from isocenter.data import Plan
from isocenter.errors import RecipeError, nearest
from isocenter.fit.validation import log_loss
from isocenter.infer.classifying import probabilities
from isocenter.metrics.calibration import calibration_error
from isocenter.ops import calibration
from isocenter.ops.array import Array

# How logits become probabilities.
KINDS = ("temperature", calibration.PLATT, calibration.ISOTONIC, "none")
# Cases of val from which on a choice is checked on a half of them that it has not seen.
CHECKED = 40
# A perfectly separated val would ask for certainty; nobody is that sure.
SHARPEST, SOFTEST = 0.25, 20.0


@dataclass(frozen=True)
class Check:
    """Expected calibration error on a half of val whose groups had no say, before and after, and its cases."""

    before: float
    after: float
    n: int


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
    if check is not None and check.after > check.before:
        return bare, {name: f"val: logits as they are, as {asked} {_told(check)}"}
    return fitted(bare, asked, logits, truth), {name: said if check is None else f"{said}; {_told(check)}"}


def fitted(plan: Plan, kind: str, logits: Array, truth: Array) -> Plan:
    """The plan with the temperature, or the map in ``settings["calibration"]``, that fits logits and truth best."""
    if kind == "temperature":
        return replace(plan, temperature=temperature(logits, truth, multilabel=plan.multilabel))
    make = calibration.platt if kind == calibration.PLATT else calibration.isotonic
    found: dict[str, Any] = make(logits, truth, multilabel=plan.multilabel)
    return replace(plan, settings={**plan.settings, "calibration": found})


def checked(plan: Plan, kind: str, logits: Array, truth: Array, groups: Sequence[str]) -> Check | None:
    """What a choice on half of val does on the other; None for fewer than 40 cases, or a half with one class alone."""
    first = halves(groups)
    if len(logits) < CHECKED or any(np.ptp(truth[side], axis=0).max() == 0 for side in (first, ~first)):
        return None
    made = fitted(plan, kind, logits[first], truth[first])
    before, after = (error(p, logits[~first], truth[~first]) for p in (plan, made))
    return Check(before, after, int((~first).sum()))


def halves(groups: Sequence[str], *, seed: int = 0) -> Array:
    """(n,) bool: the first half of cases, by whole groups, drawn by the seed.

    Parameters
    ----------
    groups
        (n,) names; cases of one name, such as a patient, stay together.
    """
    names, index, sizes = np.unique(np.asarray(groups, str), return_inverse=True, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(names))
    before = np.empty(len(names), int)
    before[order] = np.cumsum(sizes[order]) - sizes[order]
    return np.asarray((before + sizes / 2 <= len(groups) / 2)[index])


def error(plan: Plan, logits: Array, truth: Array) -> float:
    """Expected calibration error, chance taken off: of the second of two classes, else the mean over classes."""
    p = np.stack([probabilities(row, plan) for row in logits])
    one = np.ones((1, len(p)))
    columns = [1] if p.shape[1] == 2 and not plan.multilabel else range(p.shape[1])
    return float(np.mean([calibration_error(p[:, k], truth[:, k] > 0.5).at(one)[0] for k in columns]))


def _told(check: Check) -> str:
    moved = f"from {check.before:.4f} to {check.after:.4f}"
    return f"by half of it the calibration error of the other {check.n} goes {moved}"


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
