"""What methods share that learn from a table of features: the table, and how its logits become an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Self

import numpy as np

from isocenter.data import Before, Case, Cases, NotEvaluated, Plan, Probabilities, Watch, as_settings, knob
from isocenter.errors import RecipeError
from isocenter.infer.classifying import decided, probabilities
from isocenter.ops.array import Array
from isocenter.ops.calibration import ISOTONIC, PLATT, calibrated, isotonic, platt
from isocenter.tasks._features import Features
from isocenter.tasks._rows import moments, plan_of, rows, standardised
from isocenter.tasks.classify._represented import represented
from isocenter.tasks.classify._sites import moved

__all__ = [
    "Table", "Tabled", "answered", "calibrated_plan", "calibrating", "decisions", "described", "honoured",
    "moments", "plan_of", "seen_first", "standardised", "tabled",
]  # fmt: skip

# How logits become probabilities, as of `cnn`.
CALIBRATIONS = ("temperature", PLATT, ISOTONIC, "none")


def seen_first() -> Any:
    """The field of a recipe that says what happens before features are made."""
    return knob(
        Before, "intensity and window of the thumbnail (default: each image standardised by itself), and site (ComBat)"
    )


def honoured(before: Before, *, who: str) -> None:
    """Refuses what methods of features cannot honour.

    Raises
    ------
    RecipeError
        A grid, a channel or smoothing; an intensity that needs more than the image; a window without its intensity.
    """
    for field in ("spacing", "coarser", "channel", "denoise"):
        if getattr(before, field) is not None:
            raise RecipeError(f"{who} makes no use of before.{field}", got=str(getattr(before, field)))
    if before.intensity in ("landmarks", "clahe"):
        raise RecipeError(f"{who} makes no use of before.intensity={before.intensity}",
                          remedy="Set it to standardise, foreground, percentile, window, rescale or none")
    if (before.intensity == "window") != (before.window is not None):
        raise RecipeError("a window needs before.intensity='window' and before.window together")


def calibrating() -> Any:
    """The field of a recipe that says how logits become probabilities."""
    return knob(
        None,
        "how logits become probabilities, chosen on val: temperature (keeps the most probable class), platt (slope and "
        "offsets), isotonic (rising steps; needs many cases, may tie), none; None: temperature",
        choices=CALIBRATIONS,
        source="Guo et al., ICML 2017; Platt 1999; Zadrozny and Elkan, KDD 2002",
    )


@dataclass(frozen=True, eq=False)
class Table:
    """Features and classes of the cases of train and val.

    Parameters
    ----------
    x, y
        Of train: float64 (n, d) features, (n, k) zeros and ones.
    vx, vy
        Of val.
    plan
        Rank, channels and classes of train.
    features
        How a row is made.
    groups
        Of val: what must not be torn apart when a calibration is checked on halves of it.
    """

    x: Array
    y: Array
    vx: Array
    vy: Array
    plan: Plan
    features: Features
    groups: tuple[str, ...] = ()


def tabled(sides: tuple[Cases, Cases], plan: Plan, features: Features, *, watch: Watch, share: float = 1.0) -> Table:
    """The features of all cases of train and val that have a class.

    Parameters
    ----------
    sides
        Train and val.
    plan
        As `plan_of` train.
    features
        How a row is made.
    watch, share
        Where progress goes, and how far it has come when the table is there.

    Raises
    ------
    LabelError
        A class of the set has no training case, or no case has a class.
    InputError
        Images differ in their number of axes or channels, hold values that are not finite, or an empty region.
    """
    train, valid = sides
    part = share * len(train) / (len(train) + len(valid))
    told: Any = {"of": partial(_held, plan=plan), "lacking": "no case has a class", "watch": watch}
    x, y = rows(train, plan, features, share=(0.0, part), **told)
    represented(train, y)
    vx, vy = rows(valid, plan, features, share=(part, share), **told)
    return Table(x, y, vx, vy, plan, features, valid.labelled.groups)


def _held(truth: Any, *, plan: Plan) -> list[float] | None:
    return [truth.of(c) for c in plan.classes] if isinstance(truth, Probabilities) else None


def described(recipe: Any, table: Table, logits: Array, history: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """What a bundle says about a method that learnt from a table.

    Parameters
    ----------
    recipe
        The method's own.
    table
        What it learnt from.
    logits
        (n, k) of val: calibration and thresholds are chosen on them.
    history
        What was tried, or how the study went.
    """
    plan, said = calibrated_plan(recipe.calibration, table.plan, (logits, table.vy), table.groups)
    return {
        "recipe": as_settings(recipe),
        "plan": plan.as_json(),
        "features": table.features.as_json(),
        "classes": list(table.plan.classes),
        "history": [dict(h) for h in history],
        **({"said": said} if said else {}),
    }


def calibrated_plan(
    kind: str | None, plan: Plan, sides: tuple[Array, Array], groups: Sequence[str] = ()
) -> tuple[Plan, list[str]]:
    """The plan with how logits become probabilities, and thresholds, chosen on val; and what is to be said of that.

    Platt's and the isotonic map are first made on half of val by group and looked at on the other half: one that makes
    the expected calibration error there larger is not taken, and logits stay as they are.

    Parameters
    ----------
    kind
        One of `CALIBRATIONS`; None: temperature.
    plan
        What is known before.
    sides
        Logits and truth of val, (n, k) each.
    groups
        Of val, where a map is to be checked; without as many as cases, each case by itself.
    """
    if kind in (None, "temperature"):
        return decisions(plan, *sides), []
    if kind == "none":
        return limited(plan, *sides), []
    from isocenter.metrics.recalibration import checked

    logits, truth = sides
    make = partial(platt if kind == PLATT else isotonic, multilabel=plan.multilabel)

    def fit(some: Array, true: Array) -> Callable[[Array], Array]:
        return partial(calibrated, how=make(some, true), multilabel=plan.multilabel)

    def bare(some: Array) -> Array:
        return np.stack([probabilities(row, plan) for row in some])

    who = groups if len(groups) == len(logits) else [str(i) for i in range(len(logits))]
    check = checked(sides, who, bare=bare, fit=fit, multilabel=plan.multilabel)
    if check is not None and check.harms:
        return limited(plan, *sides), [f"logits as they are, as {kind} fails its check on val: {check.text()}"]
    made = replace(plan, settings={**plan.settings, "calibration": make(logits, truth)})
    return limited(made, *sides), [f"{kind}, checked on val: {check.text()}"] if check is not None else []


def decisions(plan: Plan, logits: Array, truth: Array) -> Plan:
    """The plan with temperature and thresholds chosen on val: logits and truth (n, k)."""
    from isocenter.metrics import fit_temperature

    labels = truth if plan.multilabel else truth.argmax(axis=1)
    return limited(replace(plan, temperature=fit_temperature(logits, labels)), logits, truth)


def limited(warm: Plan, logits: Array, truth: Array) -> Plan:
    """The plan, of which only thresholds were to be chosen on val: logits and truth (n, k)."""
    from isocenter.metrics import steady_threshold

    plan = warm
    values = np.stack([probabilities(row, warm) for row in logits])
    if plan.multilabel:
        limits: Sequence[float] = [steady_threshold(values[:, k], truth[:, k]) for k in range(len(plan.classes))]
        return replace(warm, thresholds=tuple(limits))
    if len(plan.classes) != 2:
        return warm
    positive = plan.positive or plan.classes[-1]
    at = plan.classes.index(positive)
    return replace(warm, thresholds=(steady_threshold(values[:, at], truth[:, at]),), positive=positive)


@dataclass(frozen=True, eq=False, repr=False)
class Tabled:
    """What answers from a row of features; a method adds its `logits`.

    Parameters
    ----------
    about
        ``recipe``, ``plan`` (rank, channels, classes, thresholds, temperature), ``features``, ``classes``, ``history``.
    arrays
        The method's own.
    """

    about: Mapping[str, Any]
    arrays: Mapping[str, Array]

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> Self:
        """The way back from `about` and `state`."""
        return cls(dict(about), dict(state))

    def state(self) -> dict[str, Array]:
        """Name to array."""
        return dict(self.arrays)

    def logits(self, x: Array) -> Array:
        """(n, k) of features (n, d)."""
        raise NotImplementedError

    def predict(self, case: Case) -> Probabilities | NotEvaluated:
        """The probability of each class; NotEvaluated where pixels are not finite, no region or the site unknown.

        Raises
        ------
        InputError
            The image has another number of axes or channels than those of train.
        NotFoundError
            The case does not say its site, which the method needs.
        """
        plan = Plan.from_json(self.about["plan"])
        row = Features.from_json(self.about["features"]).of(case, plan)
        row = row if isinstance(row, NotEvaluated) else moved(row, case, self.about, self.arrays)
        return row if isinstance(row, NotEvaluated) else answered(self.logits(row[None])[0], plan)


def answered(logits: Array, plan: Plan) -> Probabilities:
    """Probabilities and decision of logits (k,)."""
    values = probabilities(logits, plan)
    return Probabilities(plan.classes, tuple(float(v) for v in values), plan.multilabel, decided(values, plan))
