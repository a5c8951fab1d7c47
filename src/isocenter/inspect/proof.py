"""What a test split of this size can prove: how wide the interval of the leading metric will be."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from isocenter.data import Cases

# What is assumed when nothing is known yet: a good AUC and accuracy, and a spread of Dice between cases that is common
# in segmentation studies. They decide the width little; the number of subjects decides it.
AUC, ACCURACY, DICE_SD = 0.90, 0.90, 0.10
# Fewer groups get no p value.
FEW = 10


@dataclass(frozen=True)
class Proof:
    """The expected 95 % interval of one metric on one split.

    Parameters
    ----------
    metric, target
        Such as ``"auc"`` of ``"pneumonia"``.
    n
        Groups (patients, where they are known) that the interval rests on.
    assumed
        The value, or for Dice the standard deviation between cases, that was assumed.
    low, high
        Where an estimate of the assumed value would lie in 95 of 100 repetitions; None where n does not suffice.
    text
        All of it as a sentence.
    """

    metric: str
    target: str
    n: int
    assumed: float
    low: float | None
    high: float | None
    text: str

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def proofs(test: Cases, task: str) -> tuple[Proof, ...]:
    """The expected intervals of a split.

    Parameters
    ----------
    test
        Its cases.
    task
        ``"classify"`` gives AUC and accuracy, ``"segment"`` Dice.
    """
    n = test.n_subjects
    if task == "segment":
        return (_mean("dice", "all", n),)
    if task != "classify" or not test.classes:
        return ()
    lead = test.positive or (test.classes[-1] if len(test.classes) == 2 else None)
    made = [_auc(test, lead)] if lead else []
    return (*made, _accuracy(n))


def _auc(test: Cases, lead: str) -> Proof:
    # One patient counts once: repeats of a patient bring little that is new.
    groups = {g: lead in e.labels for g, e in zip(test.groups, test.entries, strict=True)}
    counts = Counter(groups.values())
    positive, negative = counts[True], counts[False]
    error = hanley(AUC, positive, negative)
    said = f"AUC of {lead}: {positive} positive and {negative} negative subjects"
    return _proof("auc", lead, positive + negative, AUC, None if error is None else 1.96 * error, said)


def hanley(auc: float, positive: int, negative: int) -> float | None:
    """Standard error of an AUC (Hanley and McNeil, Radiology 143:29, 1982); None without both kinds of cases.

    >>> round(hanley(0.9, 50, 50), 3)
    0.032
    """
    if positive < 1 or negative < 1:
        return None
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = auc * (1 - auc) + (positive - 1) * (q1 - auc**2) + (negative - 1) * (q2 - auc**2)
    return math.sqrt(spread / (positive * negative))


def _accuracy(n: int) -> Proof:
    low, high = wilson(ACCURACY, n)
    text = _sentence(f"accuracy: {n} subjects", ACCURACY, low, high)
    return Proof("accuracy", "all", n, ACCURACY, low, high, text)


def wilson(share: float, n: int, z: float = 1.96) -> tuple[float, float]:
    """Interval of a share of n (Wilson, J Am Stat Assoc 22:209, 1927).

    >>> [round(v, 3) for v in wilson(0.9, 100)]
    [0.826, 0.945]
    """
    if n < 1:
        return 0.0, 1.0
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return centre - half, centre + half


def _mean(metric: str, target: str, n: int) -> Proof:
    half = None
    if n >= 2:
        from scipy.stats import t

        half = float(t.ppf(0.975, n - 1)) * DICE_SD / math.sqrt(n)
    if half is None or half > 0.5:
        text = f"{metric}: {n} subject{'s' * (n != 1)}: too few for an interval that says anything"
    else:
        text = f"{metric}: {n} subjects whose scores spread by SD {DICE_SD:.2f} give the mean +/- {half:.3f}"
    return Proof(metric, target, n, DICE_SD, None if half is None else -half, half, text)


def _proof(metric: str, target: str, n: int, assumed: float, half: float | None, said: str) -> Proof:
    if half is None:
        return Proof(metric, target, n, assumed, None, None, f"{said}: no interval is possible")
    low, high = max(0.0, assumed - half), min(1.0, assumed + half)
    return Proof(metric, target, n, assumed, low, high, _sentence(said, assumed, low, high))


def _sentence(said: str, value: float, low: float, high: float) -> str:
    return f"{said}: a true {value:.2f} would be measured as {low:.2f} to {high:.2f}"


def distinguishable(found: Sequence[Proof]) -> str:
    """What difference between two methods the leading metric could show, as a sentence; "" where there is none."""
    first = next((p for p in found if p.low is not None and p.high is not None), None)
    if first is None or first.low is None or first.high is None or first.high - first.low > 1:
        return ""
    return f"differences in {first.metric} much below {(first.high - first.low) / 2:.3f} cannot be shown on this split"
