"""Metrics of a detection, from the boxes of every image.

Rules:

==========================  ==========================================================================================
what                        value
==========================  ==========================================================================================
image without truth boxes   its boxes are false positives; it is one of the images that FROC divides by
`NotEvaluated`              no box
ignored box of the truth    not to be found; an answer on it alone (COCO: by the share of the answer that lies in it;
                            f1_8px, froc: with its centre in it) is neither right nor wrong
answer without scores       every box is equally sure
score below 0.5             counts in ap50, ap, froc, sensitivity_at_1; not in f1_50, f1_8px
class absent from truth     ap50, ap, froc, sensitivity_at_1 undefined; f1 0 if answered, else undefined; not in ``all``
==========================  ==========================================================================================

``all`` is the unweighted mean over the classes that occur in the truth; ``object`` all classes together, where the
truth has several. Intervals resample images by group and count again over all boxes: average precision is no mean over
images.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from isocenter.data import Boxes, NotEvaluated
from isocenter.data.findings.boxes import OPERATING
from isocenter.metrics.detection_curves import IOUS, RATES, Answered, At, average_precision, sensitivity_at
from isocenter.metrics.metric import Estimate, Metric, Record
from isocenter.metrics.objects import Row, Sides, column, names_of, sides, summed, with_all
from isocenter.ops.array import Array
from isocenter.ops.boxes import centres, covered, iou
from isocenter.ops.matching import FALSE, OUT, TRUE, assigned, greedy

# COCO counts so many boxes of an image and class.
MOST = 100
NEAR_PX = 8.0


@dataclass(frozen=True, eq=False)
class BoxSide:
    """The boxes of one class on one image.

    Parameters
    ----------
    edges, scores
        Of the answer, (n, 2, axes) and (n,), by falling score.
    true, ignored
        Edges of the truth that counts and that is ignored.
    """

    edges: Array
    scores: Array
    true: Array
    ignored: Array

    @cached_property
    def ious(self) -> Array:
        """(n, m) with the truth that counts."""
        return iou(self.edges, self.true)

    @cached_property
    def aside(self) -> Array:
        """(n,) largest share of each answered box that lies in one ignored box."""
        return np.asarray(covered(self.edges, self.ignored).max(axis=1, initial=0.0))

    @cached_property
    def within_ignored(self) -> Array:
        """(n,) whether the centre of each answered box lies in an ignored one."""
        at = centres(self.edges)[:, None]
        inside = np.all((at >= self.ignored[:, 0]) & (at <= self.ignored[:, 1]), axis=2)
        return np.asarray(np.any(inside, axis=1))

    @property
    def acted(self) -> BoxSide:
        """The boxes that somebody would act upon: those with a score of at least 0.5."""
        kept = self.scores >= OPERATING
        return replace(self, edges=self.edges[kept], scores=self.scores[kept])

    @cached_property
    def coco(self) -> Array:
        """int8 (10, n): the surest 100 boxes at COCO's ten IoUs."""
        return greedy(self.ious[:MOST], IOUS, aside=self.aside[:MOST])


def found(prediction: Boxes | NotEvaluated, truth: Boxes) -> Sides[BoxSide]:
    """The boxes of one image, class by class; raises as `isocenter.metrics.objects.sides`."""
    none = np.zeros((0, 2, len(truth.geometry.shape)))
    edges = none if isinstance(prediction, NotEvaluated) else prediction.edges
    sure = np.zeros(0) if isinstance(prediction, NotEvaluated) else prediction.scores
    scores = np.ones(len(edges)) if sure is None else sure
    order = np.argsort(-scores, kind="stable")
    out = np.zeros(len(truth), bool) if truth.ignored is None else truth.ignored

    def made(of_answer: Array, of_truth: Array) -> BoxSide:
        chosen = order[of_answer[order]]
        return BoxSide(edges[chosen], scores[chosen], truth.edges[of_truth & ~out], truth.edges[of_truth & out])

    return sides(prediction, truth, made)


def _kinds(hits: Array) -> str:
    """One word a box, one digit a criterion: 0 wrong, 1 right, 2 out of the count."""
    return " ".join("".join(map(str, box)) for box in hits.T)


def _ranked(side: BoxSide, hits: Array) -> Row:
    """Scores and what the boxes are, as text: one cell of a table, whatever the number of boxes."""
    scores = side.scores[: hits.shape[1]].tolist()
    return {"true": len(side.true), "scores": " ".join(map(repr, scores)), "kinds": _kinds(hits)}


def coco_row(side: BoxSide) -> Row:
    """The surest 100 boxes: right or wrong at each of COCO's ten IoUs."""
    return _ranked(side, side.coco)


def coco_50_row(side: BoxSide) -> Row:
    """The surest 100 boxes: right or wrong at IoU 0.5."""
    return _ranked(side, side.coco[:1])


def froc_row(side: BoxSide) -> Row:
    """Every box: right where its centre is the surest within the ellipse inscribed in a box of the truth.

    Further boxes on the same truth are out of the count, as in LUNA16.
    """
    reach = (side.true[:, 1] - side.true[:, 0]) / 2
    away = ((centres(side.edges)[:, None] - centres(side.true)) / reach) ** 2
    distance = away.sum(axis=2)
    kinds = np.where(side.within_ignored, OUT, FALSE).astype(np.int8)
    if len(side.true) and len(kinds):
        nearest = distance.argmin(axis=1)
        inside = np.flatnonzero(distance.min(axis=1) <= 1)
        kinds[inside] = OUT
        kinds[inside[np.unique(nearest[inside], return_index=True)[1]]] = TRUE
    return _ranked(side, kinds[None])


def f1_50_row(side: BoxSide) -> Row:
    """2 TP and 2 TP + FP + FN at IoU 0.5, over the boxes with a score of at least 0.5."""
    side = side.acted
    return _f1(side, greedy(side.ious, np.array([0.5]), aside=side.aside)[0])


def f1_8px_row(side: BoxSide) -> Row:
    """2 TP and 2 TP + FP + FN of the best assignment of centres at most 8 px apart; boxes as in `f1_50_row`."""
    from scipy.spatial import KDTree

    side = side.acted
    kinds = np.where(side.within_ignored, OUT, FALSE).astype(np.int8)
    if len(side.edges) and len(side.true):
        trees = [KDTree(centres(e)) for e in (side.edges, side.true)]
        near = trees[0].sparse_distance_matrix(trees[1], NEAR_PX, output_type="ndarray")
        chosen = assigned(near["i"], near["j"], 1 - near["v"] / NEAR_PX)
        kinds[near["i"][chosen]] = TRUE
    return _f1(side, kinds)


def _f1(side: BoxSide, kinds: Array) -> Row:
    right, wrong, true = int((kinds == TRUE).sum()), int((kinds == FALSE).sum()), len(side.true)
    bottom = right + wrong + true
    return {"true": true, "top": 2 * right, "bottom": bottom, "values": 2 * right / bottom if bottom else None}


def _pooled(records: Sequence[Record], name: str) -> Answered:
    """The boxes of one class over all images."""
    scores = [np.array(r.get("scores", {}).get(name, "").split(), np.float64) for r in records]
    words = [w for r in records for w in r.get("kinds", {}).get(name, "").split()]
    hits = np.array([list(w) for w in words], np.int8).reshape(len(words), -1).T if words else np.zeros((1, 0), np.int8)
    image = np.repeat(np.arange(len(records)), [len(s) for s in scores])
    return Answered(image, np.concatenate(scores), hits, column(records, "true", name))


def _estimate(at: At, answered: Answered) -> Estimate:
    return Estimate(at, np.ones(len(answered.true), bool), rarer=int(np.count_nonzero(answered.true)))


def precision_summary(records: Sequence[Record], positive: str | None = None) -> Mapping[str, Estimate]:
    """COCO's average precision by class, over the set."""
    pooled = {name: _pooled(records, name) for name in names_of(records)}
    return with_all(records, {name: _estimate(average_precision(a), a) for name, a in pooled.items()})


def froc_summary(records: Sequence[Record], positive: str | None = None) -> Mapping[str, Estimate]:
    """Mean sensitivity over LUNA16's seven rates by class, over the set."""
    return _sensitivity(records, RATES)


def sensitivity_summary(records: Sequence[Record], positive: str | None = None) -> Mapping[str, Estimate]:
    """Sensitivity at one false positive an image by class, over the set."""
    return _sensitivity(records, (1.0,))


def _sensitivity(records: Sequence[Record], rates: Sequence[float]) -> Mapping[str, Estimate]:
    pooled = {name: _pooled(records, name) for name in names_of(records)}
    return with_all(records, {name: _estimate(sensitivity_at(a, rates), a) for name, a in pooled.items()})


def _metric(key: str, text: str, source: str, *, row: Any, summary: Any, by_case: bool = False) -> Metric:
    return Metric(key, "", "higher", (0.0, 1.0), text, source, row, summary, by_case)


COCO = "Lin et al., Microsoft COCO, ECCV 2014"
LUNA16 = "Setio et al. (LUNA16), Medical Image Analysis 2017"

DETECT = (
    _metric("ap50", "COCO's average precision at IoU 0.5: 101 recalls, 100 boxes an image", COCO, row=coco_50_row,
            summary=precision_summary),
    _metric("ap", "COCO's average precision, mean over IoU 0.50 to 0.95 in steps of 0.05", COCO, row=coco_row,
            summary=precision_summary),
    _metric("f1_50", "2 TP / (2 TP + FP + FN) over boxes scored from 0.5, at IoU 0.5", "van Rijsbergen, Information "
            "Retrieval 1979", row=f1_50_row, summary=summed, by_case=True),
    _metric("f1_8px", "2 TP / (2 TP + FP + FN) over boxes scored from 0.5, centres at most 8 px apart", "van "
            "Rijsbergen, Information Retrieval 1979; Kuhn, Naval Research Logistics Quarterly 1955", row=f1_8px_row,
            summary=summed, by_case=True),
    _metric("froc", "mean sensitivity at 1/8, 1/4, 1/2, 1, 2, 4 and 8 false positives an image; found: a centre within "
            "the ellipse in the true box", LUNA16, row=froc_row, summary=froc_summary),
    _metric("sensitivity_at_1", "sensitivity at one false positive an image; found: a centre within the ellipse in the "
            "true box", LUNA16, row=froc_row, summary=sensitivity_summary),
)
