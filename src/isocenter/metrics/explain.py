"""Metrics of an explanation: what was measured on the map itself, and where it points, where the truth says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from isocenter.data import IGNORE, Attribution, Boxes, Instances, NotEvaluated, Segmentation
from isocenter.metrics.by_case import means
from isocenter.metrics.faithfulness import order_of
from isocenter.metrics.metric import Metric
from isocenter.ops.array import Array


def completeness(prediction: Attribution | NotEvaluated, truth: Any = None) -> dict[str, Any]:
    """What integrated gradients left unexplained; a method without that property does not enter."""
    return _all(prediction.completeness if isinstance(prediction, Attribution) else None)


def pointing_game(prediction: Attribution | NotEvaluated, truth: Any = None) -> dict[str, Any]:
    """1 where the map's highest pixel lies in the truth, else 0 (also of no map); an empty truth does not enter."""
    mask = truth_mask(truth, prediction)
    if mask is None:
        return _all(None)
    if isinstance(prediction, NotEvaluated) or not np.ptp(prediction.values):
        return _all(0.0)
    return _all(float(mask.ravel()[order_of(prediction.values)[0]]))


def iou_same_size(prediction: Attribution | NotEvaluated, truth: Any = None) -> dict[str, Any]:
    """IoU of the truth and as many of the map's highest pixels as it has: no threshold to choose."""
    mask = truth_mask(truth, prediction)
    if mask is None:
        return _all(None)
    if isinstance(prediction, NotEvaluated) or not np.ptp(prediction.values):
        return _all(0.0)
    size = int(mask.sum())
    both = int(mask.ravel()[order_of(prediction.values)[:size]].sum())
    return _all(both / (2 * size - both))


def truth_mask(truth: Any, prediction: Attribution | NotEvaluated) -> Array | None:
    """bool (*grid) where the truth is: of the class explained where the truth knows it, else of all; None if empty.

    Masks, boxes and objects are taken; anything else says nothing about places.
    """
    target = prediction.target if isinstance(prediction, Attribution) else ""
    mask: Array | None = None
    if isinstance(truth, Segmentation):
        named = target in truth.regions
        mask = truth.mask(target) if named else (truth.labels > 0) & (truth.labels != IGNORE)
    elif isinstance(truth, Boxes | Instances):
        named = target in truth.classes
        kept = [i for i, label in enumerate(truth.labels) if not named or truth.classes[int(label)] == target]
        if isinstance(truth, Instances):
            numbers = np.asarray(truth.label_map())
            mask = np.isin(numbers, np.asarray(kept, np.int64) + 1)
        else:
            mask = _covered(truth, kept)
    return mask if mask is not None and mask.any() else None


def _covered(boxes: Boxes, which: list[int]) -> Array:
    mask = np.zeros(boxes.geometry.shape, bool)
    for low, high in boxes.edges[which]:
        mask[tuple(slice(max(0, int(np.ceil(a))), int(np.floor(b)) + 1) for a, b in zip(low, high, strict=True))] = True
    return mask


def _all(value: float | None) -> dict[str, Any]:
    return {"values": {"all": None if value is None else float(value)}}


def _check(key: str) -> Callable[..., dict[str, Any]]:
    """A number that stands among the map's checks."""

    def record(prediction: Attribution | NotEvaluated, truth: Any = None) -> dict[str, Any]:
        return _all(prediction.checks.get(key) if isinstance(prediction, Attribution) else None)

    return record


def _gain(key: str, sign: float) -> Callable[..., dict[str, Any]]:
    """How much better than the random order."""

    def record(prediction: Attribution | NotEvaluated, truth: Any = None) -> dict[str, Any]:
        checks = prediction.checks if isinstance(prediction, Attribution) else {}
        random = checks.get(f"{key}_random")
        return _all(None if random is None else sign * (checks[key] - random))

    return record


RISE = "Petsiuk, Das, Saenko, RISE, BMVC 2018"
ZHANG = "Zhang et al., Top-down neural attention, IJCV 2018 (no tolerance around the truth)"
ADEBAYO = "Adebayo et al., Sanity checks for saliency maps, NeurIPS 2018"

EXPLAIN = (
    Metric("deletion", "", "lower", (0.0, 1.0),
           "area under the answer while pixels are taken away, what speaks most for it first", RISE,
           _check("deletion"), means, by_case=True),
    Metric("insertion", "", "higher", (0.0, 1.0),
           "area under the answer while pixels come back to the blurred image, what speaks most for it first", RISE,
           _check("insertion"), means, by_case=True),
    Metric("pointing_game", "", "higher", (0.0, 1.0),
           "share of cases whose highest pixel lies in the truth; no map is a miss", ZHANG,
           pointing_game, means, by_case=True),
    Metric("completeness", "", "lower", (0.0, None),
           "|sum of attributions - change of the answer| over |change of the answer|",
           "Sundararajan, Taly, Yan, ICML 2017", completeness, means, by_case=True),
    Metric("deletion_gain", "", "higher", (-1.0, 1.0),
           "area of deletion in random order minus that in the map's order; 0: no better than chance", RISE,
           _gain("deletion", -1.0), means, by_case=True),
    Metric("insertion_gain", "", "higher", (-1.0, 1.0),
           "area of insertion in the map's order minus that in random order; 0: no better than chance", RISE,
           _gain("insertion", 1.0), means, by_case=True),
    Metric("iou_same_size", "", "higher", (0.0, 1.0),
           "IoU of the truth and as many of the map's highest pixels as it has", "",
           iou_same_size, means, by_case=True),
    Metric("randomised", "", "lower", (-1.0, 1.0),
           "rank correlation with the map of the same network with other weights; near 1: the map shows the image",
           ADEBAYO, _check("randomised"), means, by_case=True),
)  # fmt: skip
