"""Which object of an answer stands for which of the truth, object by object: what a picture of a case shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isocenter.data import Boxes, Instances, NotEvaluated
from isocenter.data.findings.boxes import OPERATING
from isocenter.metrics.objects import sides
from isocenter.ops.array import Array
from isocenter.ops.boxes import covered, iou
from isocenter.ops.matching import assigned, partners
from isocenter.ops.objects import Overlaps, overlaps

LEAST = 0.5
# Of an answered object.
HIT, SWAPPED, MERGE, FALSE, ASIDE = "hit", "swapped", "merge", "false", "aside"
# Of a true object.
FOUND, MISSED, SPLIT, IGNORED = "found", "missed", "split", "ignored"


@dataclass(frozen=True, eq=False)
class Matched:
    """What each object of an answer and of the truth is, at IoU 0.5.

    Parameters
    ----------
    answered
        Per object of the answer: ``hit``; ``swapped`` (right but for its class); ``merge`` (instances: it holds most of
        two or more true objects, and is none of them); ``false``; ``aside`` (on what is to be ignored).
    true
        Per object of the truth: ``found``; ``missed``; ``split`` (instances: two or more answered objects lie in it,
        and none of them is it); ``ignored``.
    """

    answered: tuple[str, ...]
    true: tuple[str, ...]

    def text(self) -> str:
        """Counted, in words.

        >>> Matched(("hit", "false"), ("found", "missed", "missed")).text()
        '3 objects, 1 found, 2 missed, 1 false'
        """
        counted = sum(t != IGNORED for t in self.true)
        said = [f"{counted} object{'s' * (counted != 1)}", f"{self.true.count(FOUND)} found"]
        said += [f"{n} {kind}" for kind in (MISSED, SPLIT) if (n := self.true.count(kind))]
        words = {FALSE: "false", MERGE: "merging several", SWAPPED: "of another class"}
        return ", ".join(said + [f"{n} {word}" for kind, word in words.items() if (n := self.answered.count(kind))])


def matched(prediction: Boxes | Instances | NotEvaluated, truth: Boxes | Instances) -> Matched:
    """What each object is; boxes as COCO matches them, the surest first, instances by the best assignment.

    Raises
    ------
    GeometryError, LabelError
        As `isocenter.metrics.objects.sides`.
    """
    both = sides(prediction, truth, lambda answer, true: (answer, true))
    groups = [pair for c, pair in both.classes.items() if c != both.merged] or [*both.classes.values()]
    if isinstance(prediction, NotEvaluated):
        return Matched((), tuple(IGNORED if i else MISSED for i in _ignored(truth)))
    pairs = _Pairs.of(prediction, truth)
    kinds = _Kinds(np.full(len(prediction), FALSE, dtype=object), np.full(len(truth), MISSED, dtype=object))
    kinds.true[_ignored(truth)] = IGNORED
    for answer, true in groups:
        kinds.take(pairs.chosen(answer, true & (kinds.true == MISSED)), HIT)
    if len(groups) > 1:
        kinds.take(pairs.chosen(kinds.answered == FALSE, kinds.true == MISSED), SWAPPED)
    pairs.tell(kinds)
    return Matched(tuple(kinds.answered), tuple(kinds.true))


def _ignored(truth: Boxes | Instances) -> Array:
    given = truth.ignored if isinstance(truth, Boxes) else None
    return np.zeros(len(truth), bool) if given is None else given


@dataclass(frozen=True, eq=False)
class _Kinds:
    answered: Array
    true: Array

    def take(self, pairs: tuple[Array, Array], kind: str) -> None:
        """Pairs of positions: the answer is `kind`, and its truth is found where that is a hit."""
        self.answered[pairs[0]] = kind
        if kind == HIT:
            self.true[pairs[1]] = FOUND


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Boxes keep a full table of IoU, objects the pairs that share a pixel."""

    order: Array
    ious: Array
    aside: Array
    met: Overlaps | None = None

    @classmethod
    def of(cls, prediction: Boxes | Instances, truth: Boxes | Instances) -> _Pairs:
        scores = np.ones(len(prediction)) if prediction.scores is None else prediction.scores
        order = np.argsort(-scores, kind="stable")
        nothing = np.zeros(len(prediction))
        if isinstance(prediction, Instances) and isinstance(truth, Instances):
            met = overlaps((prediction.starts, prediction.masks), (truth.starts, truth.masks), truth.geometry.shape)
            return cls(order, met.iou, nothing, met)
        assert isinstance(prediction, Boxes) and isinstance(truth, Boxes)
        out = truth.edges[_ignored(truth)]
        aside = covered(prediction.edges, out).max(axis=1, initial=0.0)
        return cls(order, iou(prediction.edges, truth.edges), np.asarray(aside))

    def chosen(self, answer: Array, true: Array) -> tuple[Array, Array]:
        """Positions of the pairs among some answers and some truths."""
        if self.met is None:
            rows, columns = self.order[answer[self.order]], np.flatnonzero(true)
            found = partners(self.ious[np.ix_(rows, columns)], LEAST)
            return rows[found >= 0], columns[found[found >= 0]]
        a, b = self.met.a, self.met.b
        near = np.flatnonzero((self.ious >= LEAST) & answer[a] & true[b])
        best = near[assigned(a[near], b[near], self.ious[near])]
        return a[best], b[best]

    def tell(self, kinds: _Kinds) -> None:
        """What is false though it lies on something: on ignored boxes, on several objects, several in one."""
        false = kinds.answered == FALSE
        if self.met is None:
            kinds.answered[false & (self.aside >= LEAST)] = ASIDE
            return
        met = self.met
        most = met.pixels > met.areas_b[met.b] / 2
        held = np.bincount(met.a[most], minlength=len(kinds.answered))
        kinds.answered[false & (held >= 2)] = MERGE
        inside = met.pixels > met.areas_a[met.a] / 2
        parts = np.bincount(met.b[inside], minlength=len(kinds.true))
        kinds.true[(kinds.true == MISSED) & (parts >= 2)] = SPLIT


def acted(prediction: Boxes) -> Boxes:
    """The boxes that F1 counts: those with a score of at least 0.5; all where there are no scores."""
    return prediction if prediction.scores is None else prediction.chosen(prediction.scores >= OPERATING)
