"""What methods of this question share that learn from a row of numbers an image: the table, how far they are off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from isocenter.data import Cases, Plan, Values, Watch, as_settings
from isocenter.errors import BundleError, LabelError, RecipeError
from isocenter.infer.plans import flaws
from isocenter.infer.regressing import LEVEL, needed, reach
from isocenter.ops.array import Array
from isocenter.tasks._features import Features
from isocenter.tasks._rows import plan_of, rows


@dataclass(frozen=True, eq=False)
class Numbers:
    """Features and numbers of the cases of train and val.

    Parameters
    ----------
    x, y
        Of train: float64 (n, d) features; (n,) numbers in standard deviations of train, from its mean.
    vx, vy
        Of val.
    plan
        Rank and channels of train, the number's name; in its settings mean, sd and unit.
    features
        How a row is made.
    """

    x: Array
    y: Array
    vx: Array
    vy: Array
    plan: Plan
    features: Features


def plan_with(train: Cases) -> Plan:
    """The plan of train, with mean, sd and unit of its numbers.

    Raises
    ------
    LabelError
        No case has a number, or all have the same.
    InputError
        2D and 3D images in one set.
    """
    plan = plan_of(train, "regress")
    found = [t.of(plan.classes[0]) for t in (case.truth() for case in train) if isinstance(t, Values)]
    numbers = np.array([v.number for v in found])
    if not len(numbers) or not numbers.std() > 0:
        got = f"{numbers[0]:g}" if len(numbers) else "none"
        raise LabelError("all training cases hold one number, or none", where=train.name, got=got,
                         wanted="numbers that differ")
    units = {v.unit for v in found}
    how = {"mean": float(numbers.mean()), "sd": float(numbers.std()), "unit": units.pop() if len(units) == 1 else ""}
    return replace(plan, settings=how)


def numbered(sides: tuple[Cases, Cases], plan: Plan, features: Features, *, watch: Watch) -> Numbers:
    """The features of all cases of train and val that have a number; raises as `tasks._rows.rows`."""
    train, valid = sides
    part = len(train) / (len(train) + len(valid))
    told: dict[str, Any] = {"of": lambda truth: _standard(truth, plan), "lacking": "no case has a number"}
    x, y = rows(train, plan, features, watch=watch, share=(0.0, part), **told)
    vx, vy = rows(valid, plan, features, watch=watch, share=(part, 1.0), **told)
    return Numbers(x, y[:, 0], vx, vy[:, 0], plan, features)


def _standard(truth: Any, plan: Plan) -> list[float] | None:
    if not isinstance(truth, Values):
        return None
    return [(truth.of(plan.classes[0]).number - plan.settings["mean"]) / plan.settings["sd"]]


def reached(plan: Plan, distances: Array) -> tuple[Plan, str]:
    """The plan with how far answers are off on val, and that in words.

    Parameters
    ----------
    plan
        With mean and sd.
    distances
        (n,) of val, in standard deviations of train.
    """
    far, n = reach(distances * plan.settings["sd"]), len(distances)
    if far is None:
        return plan, f"no intervals: val holds {n} cases, and {needed()} are needed"
    said = f"intervals: {LEVEL:.0%} of {n} cases of val are nearer (split conformal)"
    return replace(plan, settings={**plan.settings, "reach": far}), said


def described(recipe: Any, plan: Plan, distances: Array, **more: Any) -> dict[str, Any]:
    """What a bundle says about a method that learnt a number; `distances` as in `reached`."""
    plan, said = reached(plan, distances)
    about = {"recipe": as_settings(recipe), "plan": plan.as_json(), "classes": list(plan.classes), "said": [said]}
    return about | more


def plan_from(about: Mapping[str, Any]) -> Plan:
    """The plan that `described` wrote; BundleError where it is missing or contradicts itself."""
    try:
        plan = Plan.from_json(about["plan"])
    except (KeyError, TypeError, ValueError, OverflowError, RecipeError) as error:
        raise BundleError("the plan cannot be read", got=str(error)) from error
    wrong = flaws(plan)
    if plan.task != "regress" or wrong:
        raise BundleError("the plan is for another question, or contradicts itself", got=", ".join(wrong) or plan.task,
                          wanted="regress")
    return plan
