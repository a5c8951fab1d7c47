"""What methods share that learn from a table of features: the table, and how its logits become an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from isocenter.data import Case, Cases, NotEvaluated, Plan, Probabilities, Watch, as_settings
from isocenter.errors import LabelError
from isocenter.infer.classifying import decided, probabilities
from isocenter.ops.array import Array
from isocenter.tasks._features import Features
from isocenter.tasks._rows import moments, plan_of, rows, standardised

__all__ = [
    "Table", "Tabled", "answered", "decisions", "described", "moments", "plan_of", "standardised", "tabled",
]  # fmt: skip


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
    """

    x: Array
    y: Array
    vx: Array
    vy: Array
    plan: Plan
    features: Features


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
    missing = [c for c, count in zip(train.classes, y.sum(axis=0), strict=True) if not count]
    if missing:
        raise LabelError("a class has no training case", where=train.name, got=", ".join(missing))
    return Table(x, y, *rows(valid, plan, features, share=(part, share), **told), plan, features)


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
        (n, k) of val: temperature and thresholds are chosen on them.
    history
        What was tried, or how the study went.
    """
    return {
        "recipe": as_settings(recipe),
        "plan": decisions(table.plan, logits, table.vy).as_json(),
        "features": table.features.as_json(),
        "classes": list(table.plan.classes),
        "history": [dict(h) for h in history],
    }


def decisions(plan: Plan, logits: Array, truth: Array) -> Plan:
    """The plan with temperature and thresholds chosen on val: logits and truth (n, k)."""
    from isocenter.metrics import best_threshold, fit_temperature

    labels = truth if plan.multilabel else truth.argmax(axis=1)
    warm = replace(plan, temperature=fit_temperature(logits, labels))
    values = np.stack([probabilities(row, warm) for row in logits])
    if plan.multilabel:
        limits: Sequence[float] = [best_threshold(values[:, k], truth[:, k]) for k in range(len(plan.classes))]
        return replace(warm, thresholds=tuple(limits))
    if len(plan.classes) != 2:
        return warm
    positive = plan.positive or plan.classes[-1]
    at = plan.classes.index(positive)
    return replace(warm, thresholds=(best_threshold(values[:, at], truth[:, at]),), positive=positive)


@dataclass(frozen=True, eq=False)
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

    def state(self) -> dict[str, Array]:
        """Name to array."""
        return dict(self.arrays)

    def logits(self, x: Array) -> Array:
        """(n, k) of features (n, d)."""
        raise NotImplementedError

    def predict(self, case: Case) -> Probabilities | NotEvaluated:
        """The probability of each class; NotEvaluated where pixels are not finite, or there is no region.

        Raises
        ------
        InputError
            The image has another number of axes or channels than those of train.
        """
        plan = Plan.from_json(self.about["plan"])
        row = Features.from_json(self.about["features"]).of(case, plan)
        if isinstance(row, NotEvaluated):
            return row
        return answered(self.logits(row[None])[0], plan)


def answered(logits: Array, plan: Plan) -> Probabilities:
    """Probabilities and decision of logits (k,)."""
    values = probabilities(logits, plan)
    return Probabilities(plan.classes, tuple(float(v) for v in values), plan.multilabel, decided(values, plan))
