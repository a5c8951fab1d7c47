"""Several answers about one image become one, with how far they differ."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from isocenter.data import IGNORE, Case, Cases, NotEvaluated, Segmentation, Value, Values
from isocenter.errors import LabelError
from isocenter.ops.array import Array
from isocenter.ops.staple import staple

WAYS = ("mean", "majority", "staple")
# Cases from which a correlation says anything.
FEWEST = 4
# What a method calls its region that has learnt no name.
FOREGROUND = "foreground"


@dataclass(frozen=True, eq=False)
class Consensus:
    """What several methods agree on about one case.

    Parameters
    ----------
    answer
        Label map with the joint probabilities.
    spread
        float32 (*grid): SD over the methods of the probability that a pixel is not background.
    expected
        Dice of each region between two of the methods, mean over all pairs; empty for a single method.
    """

    answer: Segmentation
    spread: Array
    expected: Values


def consensus(members: Sequence[Any], case: Case, *, combine: str) -> Consensus | NotEvaluated:
    """The joint answer of methods that answer; those that say nothing about the case are left out.

    Parameters
    ----------
    members
        Predictors of this question; probabilities are taken where they give them (`scored`), else labels.
    case
        With the image.
    combine
        One of `WAYS`.

    Raises
    ------
    LabelError
        They answer about different regions. A method's only region without a name is that of the others.
    """
    answers: list[Segmentation] = []
    scores: list[Array] = []
    refused: NotEvaluated | None = None
    for member in members:
        found = getattr(member, "scored", member.predict)(case)
        if isinstance(found, NotEvaluated):
            refused = found
            continue
        if answers:
            found, answers[0] = _alike(found, answers[0])
        if answers and found.names != answers[0].names:
            raise LabelError(
                "the members answer about different regions",
                where=case.id,
                got=f"{', '.join(found.names)} beside {', '.join(answers[0].names)}",
                remedy="Train them on the same classes",
            )
        answers.append(found)
        scores.append(_probabilities(found))
    if not answers:
        return NotEvaluated("there is no member to answer") if refused is None else refused
    spread = np.std([1.0 - s[0] for s in scores], axis=0, dtype=np.float32)
    joint = _joined(answers, scores, combine)
    labels = joint.argmax(axis=0).astype(np.uint8)
    answer = Segmentation(labels, answers[0].names, answers[0].geometry, joint)
    return Consensus(answer, np.asarray(spread, np.float32), Values(_pairwise(answers)))


def _alike(a: Segmentation, b: Segmentation) -> tuple[Segmentation, Segmentation]:
    """Both by the same names where the only region of one is ``foreground`` and the other knows its only one's name."""
    one, other = a.names[1:], b.names[1:]
    if len(one) == len(other) == 1:
        a = replace(a, names=b.names) if one == (FOREGROUND,) else a
        b = replace(b, names=a.names) if other == (FOREGROUND,) else b
    return a, b


def _probabilities(found: Segmentation) -> Array:
    if found.scores is not None:
        return np.asarray(found.scores, np.float32)
    return np.stack([found.labels == i for i in range(len(found.names))]).astype(np.float32)


def _joined(answers: Sequence[Segmentation], scores: Sequence[Array], combine: str) -> Array:
    classes = len(answers[0].names)
    if combine == "staple":
        return staple([a.labels for a in answers], classes).scores
    if combine == "majority":
        scores = [np.stack([a.labels == i for i in range(classes)]).astype(np.float32) for a in answers]
    total = np.zeros_like(scores[0])
    for one in scores:
        total += one
    return np.asarray(total / len(scores))


def _pairwise(answers: Sequence[Segmentation]) -> dict[str, Value]:
    out = {}
    for name in answers[0].regions if len(answers) > 1 else ():
        masks = [a.mask(name) for a in answers]
        pairs = [overlap(a, b) for a, b in itertools.combinations(masks, 2)]
        out[name] = Value(float(np.mean(pairs)))
    return out


def overlap(a: Array, b: Array) -> float:
    """Dice of two masks; 1 where both are empty."""
    total = int(np.count_nonzero(a)) + int(np.count_nonzero(b))
    return 2 * int(np.count_nonzero(a & b)) / total if total else 1.0


def correlation(ensemble: Any, cases: Cases) -> dict[str, Any]:
    """How the expected Dice goes with the real one over cases with truth: n, Pearson's and Spearman's coefficient.

    The coefficients are None below four cases, or where either Dice is the same everywhere.
    """
    rows = []
    for case in cases:
        found, truth = ensemble.consensus(case), case.truth()
        if isinstance(found, NotEvaluated) or not isinstance(truth, Segmentation) or not found.expected.items:
            continue
        known = truth.labels != IGNORE
        shared = [r for r in found.expected.items if r in truth.names]
        real = [overlap(found.answer.mask(r) & known, truth.mask(r)) for r in shared]
        if shared:
            rows.append((np.mean([found.expected.items[r].number for r in shared]), np.mean(real)))
    expected, real_ = np.asarray(rows, float).reshape(-1, 2).T
    said: dict[str, Any] = {"n": len(rows), "pearson": None, "spearman": None}
    if len(rows) >= FEWEST and np.ptp(expected) > 0 and np.ptp(real_) > 0:
        from scipy.stats import rankdata

        said["pearson"] = round(float(np.corrcoef(expected, real_)[0, 1]), 4)
        said["spearman"] = round(float(np.corrcoef(rankdata(expected), rankdata(real_))[0, 1]), 4)
    return said
