"""Metrics of instances, from the masks of every image.

Rules for what an image adds, per class:

==========================  ==========================================================================================
truth and answer            value
==========================  ==========================================================================================
both hold objects           as defined
one of them holds none      ap50, ap, f1_50, aji 0; pq counts the objects as missed or false
neither, image without any  ap50, ap, f1_50, aji 1 for every class; pq: nothing to count
object at all
neither, but the image has  leaves ap50, ap, f1_50, aji; pq: nothing to count
objects of other classes
==========================  ==========================================================================================

`NotEvaluated` is an answer without objects. ``all`` is the unweighted mean over the classes that occur in the truth;
``object`` all classes together, where the truth has several. An object of the answer is matched to at most one of the
truth: as many matches as possible, then the largest sum of IoU; above IoU 0.5 and without overlaps there is one choice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np

from isocenter.data import Instances, NotEvaluated
from isocenter.metrics.by_case import means
from isocenter.metrics.detection_curves import IOUS
from isocenter.metrics.metric import Metric
from isocenter.metrics.objects import Row, Sides, sides, summed
from isocenter.ops.array import Array
from isocenter.ops.matching import assigned
from isocenter.ops.objects import Overlaps, overlaps


@dataclass(frozen=True, eq=False)
class MaskSide:
    """The objects of one class on one image.

    Parameters
    ----------
    overlaps
        Pairs of an answered and a true object of this class that share pixels.
    answered, true
        int64: pixels of each object of this class.
    blank
        Whether the image holds no object of any class, in truth and answer.
    """

    overlaps: Overlaps
    answered: Array
    true: Array
    blank: bool

    @cached_property
    def ious(self) -> Array:
        """(k,) of the pairs."""
        return self.overlaps.iou

    def matched(self, least: float, *, above: bool = False) -> Array:
        """IoU of the matched pairs, of those with at least this IoU (with `above`: more than this)."""
        near = np.flatnonzero(self.ious > least if above else self.ious >= least)
        return np.asarray(self.ious[near[assigned(self.overlaps.a[near], self.overlaps.b[near], self.ious[near])]])

    @property
    def counts(self) -> tuple[int, int]:
        """Objects of answer and truth."""
        return len(self.answered), len(self.true)


def found(prediction: Instances | NotEvaluated, truth: Instances) -> Sides[MaskSide]:
    """The objects of one image, class by class; raises as `isocenter.metrics.objects.sides`."""
    answer = truth.chosen(np.zeros(0, np.int64)) if isinstance(prediction, NotEvaluated) else prediction
    blank = not len(answer) and not len(truth)

    @cache
    def whole_image() -> Overlaps:
        return overlaps((answer.starts, answer.masks), (truth.starts, truth.masks), truth.geometry.shape)

    def made(of_answer: Array, of_truth: Array) -> MaskSide:
        # Asked once `sides` knows that both lie on one grid.
        whole = whole_image()
        among = of_answer[whole.a] & of_truth[whole.b]
        part = Overlaps(whole.a[among], whole.b[among], whole.pixels[among], whole.areas_a, whole.areas_b)
        return MaskSide(part, whole.areas_a[of_answer], whole.areas_b[of_truth], blank)

    return sides(prediction, truth, made)


Number = float | None


def _by_image(measure: Callable[[MaskSide], float]) -> Callable[[MaskSide], Row]:
    """The row of a metric that each image has a value of; `measure` is asked where truth and answer hold objects."""

    def row(side: MaskSide) -> Row:
        answered, true = side.counts
        value: Number = None
        if answered and true:
            value = measure(side)
        elif answered or true:
            value = 0.0
        elif side.blank:
            value = 1.0
        return {"true": true, "values": value}

    return row


def score_at(side: MaskSide, least: float) -> float:
    """TP / (TP + FP + FN) at an IoU: the score of the Data Science Bowl, StarDist's average precision."""
    tp = len(side.matched(least))
    return tp / (sum(side.counts) - tp)


def ap50(side: MaskSide) -> float:
    """TP / (TP + FP + FN) at IoU 0.5."""
    return score_at(side, 0.5)


def ap(side: MaskSide) -> float:
    """TP / (TP + FP + FN), mean over the ten IoUs."""
    return float(np.mean([score_at(side, float(t)) for t in IOUS]))


def f1_50(side: MaskSide) -> float:
    """2 TP / (2 TP + FP + FN) at IoU 0.5."""
    return 2 * len(side.matched(0.5)) / sum(side.counts)


def aji(side: MaskSide) -> float:
    """Aggregated Jaccard index: each true object with the answered one of the largest IoU, which may serve again.

    Source: Kumar et al., TMI 2017, algorithm 1.
    """
    pairs = side.overlaps
    # The surest pair of each true object comes first; the earlier answered object on a tie.
    order = np.lexsort((pairs.a, -side.ious, pairs.b))
    best = order[np.unique(pairs.b[order], return_index=True)[1]]
    both = float(pairs.pixels[best].sum())
    union = float((pairs.areas_a[pairs.a[best]] + pairs.areas_b[pairs.b[best]] - pairs.pixels[best]).sum())
    missed = float(side.true.sum() - pairs.areas_b[pairs.b[best]].sum())
    false = float(side.answered.sum() - pairs.areas_a[np.unique(pairs.a[best])].sum())
    return both / (union + missed + false)


def pq_row(side: MaskSide) -> Row:
    """Sum of IoU of matches above 0.5, and TP + FP / 2 + FN / 2."""
    quality, bottom = float(side.matched(0.5, above=True).sum()), sum(side.counts) / 2
    return {"true": side.counts[1], "top": quality, "bottom": bottom, "values": quality / bottom if bottom else None}


def _metric(key: str, text: str, source: str, *, row: Any, summary: Any = means) -> Metric:
    return Metric(key, "", "higher", (0.0, 1.0), text, source, row, summary, by_case=True)


EMPTY = "an image without objects counts 1 where none is answered, else 0"
BOWL = "Caicedo et al., Nature Methods 2019; Schmidt et al. (StarDist), MICCAI 2018"

INSTANCES = (
    _metric("ap50", f"TP / (TP + FP + FN) at IoU 0.5 per image, mean over images; {EMPTY}",
            BOWL, row=_by_image(ap50)),
    _metric("ap", "TP / (TP + FP + FN) per image, mean over IoU 0.50 to 0.95 in steps of 0.05 and over images; "
            f"{EMPTY}", BOWL, row=_by_image(ap)),
    _metric("pq", "panoptic quality over the set: sum of IoU of matches above 0.5 over TP + FP / 2 + FN / 2",
            "Kirillov et al., CVPR 2019", row=pq_row, summary=summed),
    _metric("f1_50", f"2 TP / (2 TP + FP + FN) at IoU 0.5 per image, mean over images; {EMPTY}",
            "Caicedo et al., Cytometry A 2019", row=_by_image(f1_50)),
    _metric("aji", f"aggregated Jaccard index per image, mean over images; {EMPTY}", "Kumar et al., TMI 2017",
            row=_by_image(aji)),
)
