"""Metrics of an attack, and what speaks against believing them.

An attack that fails proves a robust network, or a poor attack: one whose gradients are masked. The flags are those of
Athalye, Carlini, Wagner (ICML 2018) and of Croce and Hein (ICML 2020).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from isocenter.data import NotEvaluated, Perturbation, Probabilities, Segmentation
from isocenter.metrics.by_case import means
from isocenter.metrics.metric import Metric
from isocenter.metrics.segment import SEGMENT, record, regions

# Share of the attacked cases from which what happened to them is a flag, and how much of the attack's success noise
# must reach for a gradient to be of no use.
MANY, AS_GOOD = 0.1, 0.9
DICE = next(m for m in SEGMENT if m.key == "dice")


def robust_accuracy(prediction: Perturbation | NotEvaluated, truth: Any = None) -> dict[str, Any]:
    """1 where the classes decided for are still those aimed at, else (or unanswered) 0; segmentations leave it."""
    if isinstance(prediction, NotEvaluated):
        return {"values": {"all": 0.0}}
    if not isinstance(prediction, Perturbation) or not isinstance(prediction.aim, Probabilities):
        return {"values": {"all": None}}
    after = prediction.after
    right = isinstance(after, Probabilities) and set(after.decision) == set(prediction.aim.decision)
    return {"values": {"all": float(right)}}


def robust_dice(prediction: Perturbation | NotEvaluated, truth: Any = None) -> dict[str, Any]:
    """Dice of each region after the attack; classifications leave it, and what was not answered before any attack."""
    if not isinstance(prediction, Perturbation) or not isinstance(prediction.aim, Segmentation):
        return {"values": {}}
    after = prediction.after
    if not isinstance(after, (Segmentation, NotEvaluated)):
        return {"values": {}}
    return record(DICE, regions(after, prediction.aim))


def masking(found: Sequence[Perturbation], *, black_box: Sequence[Perturbation] = ()) -> tuple[str, ...]:
    """What speaks against believing an attack.

    ``zero_gradient``        in 1 of 10 attacked cases or more the gradient is 0
    ``loss_does_not_grow``   in 1 of 10 or more the loss is never above that of the start
    ``noise_as_good``        noise of the same size does nine tenths of what the gradient does
    ``black_box_better``     an attack without gradients alters answers that withstood this one
    ``below_one_level``      the budget is less than one level of the stored pixels: nothing can change

    Parameters
    ----------
    found
        Of one attack, one a case; those wrong before any change are left out.
    black_box
        Of an attack that needs no gradient, on some of the cases that withstood.
    """
    tried = [p for p in found if not p.checks.get("wrong_before")]
    flags = []
    if tried and all(not p.values.any() for p in tried):
        flags.append("below_one_level")
    traced: list[Mapping[str, float]] = [p.checks for p in tried if "gradient" in p.checks]
    if traced and sum(c["gradient"] <= 0 for c in traced) >= MANY * len(traced):
        flags.append("zero_gradient")
    if traced and sum(c["last_loss"] <= c["first_loss"] for c in traced) >= MANY * len(traced):
        flags.append("loss_does_not_grow")
    noise = sum(c["noise"] > 0 for c in traced)
    reached = sum(p.altered for p in tried if "gradient" in p.checks)
    if noise and noise >= AS_GOOD * reached:
        flags.append("noise_as_good")
    if any(p.altered and not p.checks.get("wrong_before") for p in black_box):
        flags.append("black_box_better")
    return tuple(flags)


def undone_by_rounding(found: Sequence[Perturbation]) -> int:
    """Cases whose answer was altered by a change that the stored type of their pixels could not keep."""
    return sum(1 for p in found if p.checks.get("unrounded", 0.0) > 0 and not p.altered)


ATTACK = (
    Metric("robust_accuracy", "", "higher", (0.0, 1.0), "share of cases whose classes are still decided for rightly "
           "after the attack; a case that was wrong before counts as wrong", "Madry et al., ICLR 2018", robust_accuracy,
           means, by_case=True),
    Metric("robust_dice", "", "higher", (0.0, 1.0), "Dice after the attack", "Xie et al., ICCV 2017", robust_dice,
           means, by_case=True),
)
