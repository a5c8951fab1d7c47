"""What each modality is worth to a fusion: its answers on val with and without it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from isocenter.data import Plan
from isocenter.ops.array import Array
from isocenter.ops.logistic import log_loss

Ask = Callable[[Array], Array]


def removed(
    names: Sequence[str], asked: Ask, present: Array, truth: Array, *, plan: Plan, known: Array
) -> dict[str, dict[str, Any]]:
    """By modality: how often it is there, and on the cases of val that have it and another what its absence changes.

    Parameters
    ----------
    names
        Of the modalities.
    asked
        bool (n, count), who is present, to logits (n, classes).
    present, truth
        Of val: bool (n, count); (n, classes) zeros and ones.
    plan
        Classes, the positive one, temperature.
    known
        bool (train cases, count).

    Returns
    -------
    dict
        ``train`` and ``val`` (cases that have it), ``n`` (compared), ``change`` (mean absolute change of the log-odds
        of the positive class, or of the class most probable with all of them), ``log_loss`` and ``log_loss_without``,
        and with two classes ``auc`` and ``auc_without`` (None where one class is missing).
    """
    whole = asked(present) / plan.temperature
    out: dict[str, dict[str, Any]] = {}
    for i, name in enumerate(names):
        here = present[:, i] & (present.sum(axis=1) > 1)
        told: dict[str, Any] = {
            "train": int(known[:, i].sum()), "val": int(present[:, i].sum()), "n": int(here.sum())
        }
        if here.any():
            others = present.copy()
            others[here, i] = False
            less = (asked(others) / plan.temperature)[here]
            told |= _compared(whole[here], less, truth[here], plan)
        out[name] = told
    return out


def log_odds(logits: Array, at: Array, *, several: bool) -> Array:
    """(n,) log-odds of the class `at` (n,) of logits (n, classes)."""
    own = logits[np.arange(len(logits)), at]
    if several:
        return own
    rest = logits.copy()
    rest[np.arange(len(logits)), at] = -np.inf
    top = rest.max(axis=1)
    return np.asarray(own - top - np.log(np.exp(rest - top[:, None]).sum(axis=1)))


def _compared(whole: Array, less: Array, truth: Array, plan: Plan) -> dict[str, Any]:
    several, positive = plan.multilabel, _positive(plan)
    at = whole.argmax(axis=1) if positive is None else np.full(len(whole), positive)
    change = np.abs(log_odds(whole, at, several=several) - log_odds(less, at, several=several))
    told: dict[str, Any] = {
        "change": float(change.mean()), "log_loss": log_loss(whole, truth, several=several),
        "log_loss_without": log_loss(less, truth, several=several),
    }
    if positive is not None:
        both = [log_odds(z, at, several=several) for z in (whole, less)]
        told |= dict(zip(("auc", "auc_without"), (_auc(z, truth[:, positive]) for z in both), strict=True))
    return told


def _positive(plan: Plan) -> int | None:
    if plan.multilabel or len(plan.classes) != 2:
        return None
    return plan.classes.index(plan.positive) if plan.positive in plan.classes else 1


def _auc(scores: Array, truth: Array) -> float | None:
    from isocenter.metrics.ranking import weighted_auc

    y = np.asarray(truth) > 0.5
    return float(weighted_auc(scores, y)(np.ones((1, len(y))))[0]) if y.any() and not y.all() else None


def lines(told: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """One line a modality, where there are several."""
    return [_line(name, one) for name, one in told.items()] if len(told) > 1 else []


def _line(name: str, one: Mapping[str, Any]) -> str:
    line = f"{name}: in {one['train']} cases of train and {one['val']} of val"
    if not one["n"]:
        return f"{line}; never beside another on val, so that nothing is known of its part"
    auc = one.get("auc")
    scores = f"AUC {one['auc_without']:.2f} instead of {auc:.2f}, " if auc is not None else ""
    losses = f"log loss {one['log_loss_without']:.2f} instead of {one['log_loss']:.2f}"
    return (f"{line}; without it (n = {one['n']} of val) {scores}{losses}, the log-odds move by {one['change']:.2f} on "
            "average; no interval, so no proof")
