"""Where it is: boxes from what a detector answers about every place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from isocenter.data import Boxes, Image, NotEvaluated, Plan
from isocenter.errors import BundleError
from isocenter.infer.engines import Engine
from isocenter.infer.memory import flight
from isocenter.infer.preparing import prepared, unusable
from isocenter.ops.array import Array
from isocenter.ops.boxes import area, clip, nms
from isocenter.ops.windows import multiple, padded

# `Plan.settings` of detectors: least score of an answered box, IoU above which the surer of two boxes stays, boxes an
# image. COCO counts 100 of a class.
DEFAULTS: dict[str, Any] = {"least": 0.01, "overlap": 0.5, "most": 300}
# Candidates that suppression looks at.
CANDIDATES = 2000
# Scores are kept away from 0 and 1 by this.
EDGE = 1e-9


def detect(engine: Engine, image: Image, plan: Plan) -> Boxes | NotEvaluated:
    """The boxes of one image, on its own grid, by falling score.

    Parameters
    ----------
    engine
        Answers (n, places, 2 rank + classes): low edges, high edges in pixels of its input, probability per class.
    image
        Of plan.rank spatial axes; seen whole, at plan.size or plan.spacing.
    plan
        Its `settings` hold ``least``, ``overlap`` and ``most`` (`DEFAULTS`); its `thresholds`, chosen on val, become a
        score of 0.5 (`rated`).

    Raises
    ------
    InputError, ResourceError
        As `prepare`.
    BundleError
        The plan is for another question.
    """
    if plan.task != "detect":
        raise BundleError("the plan is for another question", got=plan.task, wanted="detect")
    array = image.channels_first()
    lack = unusable(array)
    if lack is not None:
        return lack
    seen = prepared(array, image, plan).array
    shape = multiple(seen.shape[1:], plan.divisor)
    flight(engine, shape, remedy="Use a plan with a smaller size")
    edges, labels, scores = chosen(engine(padded(seen, shape)[None])[0], plan)
    edges = on_own_grid(edges, shape, seen.shape[1:], image.geometry.shape)
    held = area(edges) > 0
    if plan.thresholds:
        scores = rated(scores, np.asarray(plan.thresholds, np.float64)[labels])
    return Boxes(edges[held], labels[held], plan.classes, image.geometry, scores[held])


def chosen(answer: Array, plan: Plan) -> tuple[Array, Array, Array]:
    """The boxes that remain of one answer (places, 2 rank + classes), by falling score.

    Returns
    -------
    edges, labels, scores
        float64 (n, 2, rank) in pixels of the network's input, int64 (n,), float64 (n,) as the network gave them.
    """
    settings = DEFAULTS | dict(plan.settings)
    rank = plan.rank
    values = np.asarray(answer[:, 2 * rank :], np.float64)
    place, labels = np.nonzero(values >= settings["least"])
    scores = values[place, labels]
    first = np.argsort(-scores, kind="stable")[:CANDIDATES]
    place, labels, scores = place[first], labels[first], scores[first]
    edges = np.asarray(answer[place, : 2 * rank], np.float64).reshape(-1, 2, rank)
    sound = np.isfinite(edges).all((1, 2)) & (edges[:, 1] > edges[:, 0]).all(1)
    edges, labels, scores = edges[sound], labels[sound], scores[sound]
    kept = nms(edges, scores, labels, limit=float(settings["overlap"]))[: int(settings["most"])]
    return edges[kept], labels[kept], scores[kept]


def on_own_grid(edges: Array, shape: Sequence[int], working: Sequence[int], own: Sequence[int]) -> Array:
    """Edges on the padded working grid `shape` brought to the image's own grid and into it."""
    lack = np.asarray([max(0, a - b) // 2 for a, b in zip(shape, working, strict=True)], np.float64)
    factor = np.asarray(own, np.float64) / np.asarray(working, np.float64)
    return clip((edges - lack + 0.5) * factor - 0.5, own)


def rated(scores: Array, limits: Array) -> Array:
    """Scores whose 0.5 is their limit: odds divided by the odds of the limit, so that no order changes.

    Parameters
    ----------
    scores, limits
        (n,) in [0, 1].
    """
    limits, p = np.clip(limits, EDGE, 1 - EDGE), np.clip(scores, EDGE, 1 - EDGE)
    odds = p / (1 - p) * (1 - limits) / limits
    return np.asarray(odds / (1 + odds))
