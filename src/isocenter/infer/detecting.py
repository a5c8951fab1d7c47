"""Where it is: boxes from what a detector answers about every place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from isocenter.data import Boxes, Image, NotEvaluated, Plan
from isocenter.errors import BundleError
from isocenter.infer.engines import Engine
from isocenter.infer.memory import flight, pixel_bytes, require
from isocenter.infer.preparing import piece, prepared, unusable, weight
from isocenter.infer.slicing import boxes_of, slices
from isocenter.ops.array import Array
from isocenter.ops.boxes import area, centres, clip, nms
from isocenter.ops.proposals import first_of
from isocenter.ops.tiles import Tile, tiles, widest
from isocenter.ops.windows import multiple, padded

# `Plan.settings` of detectors: least score of an answered box, IoU above which the surer of two boxes stays, boxes an
# image (a tile, where it goes in tiles). COCO counts 100 of a class.
DEFAULTS: dict[str, Any] = {"least": 0.01, "overlap": 0.5, "most": 300}
# Candidates that suppression looks at, of an image or a tile; settings may hold another number as `candidates`.
CANDIDATES = 2000
# Scores are kept away from 0 and 1 by this.
EDGE = 1e-9
# Where the plan's settings have no `window`: sides in pixels of the working grid up to which an image is seen whole.
SIDES = {2: 1024, 3: 128}
# Images are larger than those of train from this many times their extent on every axis.
LARGER = 2.0
# At most this many times the pixel of train: coarser ones do not show at their scale what they showed.
COARSER = 4.0


def detect(engine: Engine, image: Image, plan: Plan) -> Boxes | NotEvaluated:
    """The boxes of one image, on its own grid, by falling score.

    What exceeds the window goes in tiles that overlap by twice the largest object; a box belongs to the tile in whose
    core its centre lies, and suppression sees the boxes of all tiles together. Where the network answers alike wherever
    an object lies, these are the boxes of the image in one piece. A network of rank 2 answers a volume slice by slice:
    each box is one slice thick.

    Parameters
    ----------
    engine
        Answers (n, places, 2 rank + classes): low edges, high edges in pixels of its input, probability per class.
    image
        2D or 3D; seen at plan.spacing or plan.size. One whose extent in mm is at least twice that of the images of
        train on every axis keeps their scale instead of shrinking to plan.size (`scaled`).
    plan
        Its `settings` hold ``least``, ``overlap`` and ``most`` (`DEFAULTS`), and may hold ``window`` (sides of the
        working grid) and ``reach`` (extent of the largest object there); its `thresholds`, chosen on val, become a
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
    remedy = "Give a part of the image, or use a plan with a smaller window"
    require(needed(engine, image, plan), what=f"an image of {image.geometry.shape}", remedy=remedy)
    array = image.channels_first()
    lack = unusable(array)
    if lack is not None:
        return lack
    if image.ndim == 3 and plan.rank == 2:
        return boxes_of([_one(engine, one.pixels(), one, plan) for one in slices(image, array)], image.geometry)
    return _one(engine, array, image, plan)


def needed(engine: Engine, image: Image, plan: Plan) -> int:
    """Bytes that the boxes of an image take at their peak, beside the process as it is; nothing is read.

    Parameters
    ----------
    engine, image, plan
        As in `detect`.
    """
    plan = scaled(piece(image, plan), plan)
    seen = weight(image, plan)
    shape = multiple(seen.grid, plan.divisor)
    copy = 4 * plan.channels * math.prod(shape) if shape != seen.grid else 0
    tile = map(min, shape, widest(*_window(plan), plan.divisor))
    return seen.raw + max(seen.making, seen.made + copy + math.prod(tile) * pixel_bytes(engine))


def _window(plan: Plan) -> tuple[tuple[int, ...], Sequence[float]]:
    """Sides of a tile and the extent of the largest object."""
    window = tuple(plan.settings.get("window") or (SIDES[plan.rank],) * plan.rank)
    return window, plan.settings.get("reach") or [n / 8 for n in window]


def _one(engine: Engine, array: Array, image: Image, plan: Plan) -> Boxes:
    plan = scaled(image, plan)
    seen = prepared(array, image, plan).array
    edges, labels, scores, shape = found(engine, seen, plan)
    edges = on_own_grid(edges, shape, seen.shape[1:], image.geometry.shape)
    held = area(edges) > 0
    if plan.thresholds:
        scores = rated(scores, np.asarray(plan.thresholds, np.float64)[labels])
    return Boxes(edges[held], labels[held], plan.classes, image.geometry, scores[held])


def found(engine: Engine, array: Array, plan: Plan) -> tuple[Array, Array, Array, tuple[int, ...]]:
    """The boxes of a prepared image (c, *grid), whole or in tiles.

    Returns
    -------
    edges, labels, scores
        As `chosen`, on the padded grid.
    shape
        That grid: centred on the image's.

    Raises
    ------
    ResourceError
        Not even one tile fits into memory.
    """
    shape = multiple(array.shape[1:], plan.divisor)
    parts = tiles(shape, *_window(plan), plan.divisor)
    flight(engine, parts[0].size, remedy="Use a plan with a smaller size or window")
    whole = padded(array, shape)
    if len(parts) == 1:
        return *chosen(engine(whole[None])[0], plan), shape
    rows = [_owned(part, candidates(engine(part.cut(whole)[None])[0], plan), _first(plan)) for part in parts]
    edges, labels, scores = (np.concatenate(column) for column in zip(*rows, strict=True))
    return *suppressed(edges, labels, scores, plan, times=len(parts)), shape


def _first(plan: Plan) -> int:
    return int(plan.settings.get("candidates", CANDIDATES))


def _owned(part: Tile, rows: tuple[Array, Array, Array], most: int) -> tuple[Array, Array, Array]:
    edges, labels, scores = rows
    edges = part.placed(edges)
    held = np.flatnonzero(part.holds(centres(edges)))[:most]
    return edges[held], labels[held], scores[held]


def chosen(answer: Array, plan: Plan) -> tuple[Array, Array, Array]:
    """The boxes that remain of one answer (places, 2 rank + classes), by falling score.

    Returns
    -------
    edges, labels, scores
        float64 (n, 2, rank) in pixels of the network's input, int64 (n,), float64 (n,) as the network gave them.
    """
    edges, labels, scores = (part[: _first(plan)] for part in candidates(answer, plan))
    return suppressed(edges, labels, scores, plan)


def candidates(answer: Array, plan: Plan) -> tuple[Array, Array, Array]:
    """The boxes of one answer that are sure enough and sound, before suppression; as `chosen` gives them.

    Raises
    ------
    BundleError
        The answer has another shape than the plan says.
    """
    least = float((DEFAULTS | dict(plan.settings))["least"])
    rank = plan.rank
    if answer.ndim != 2 or answer.shape[1] != 2 * rank + len(plan.classes):
        raise BundleError("the network answers in another shape than its plan says", got=str(answer.shape))
    values = np.asarray(answer[:, 2 * rank :], np.float64)
    place, labels = np.nonzero(values >= least)
    scores = values[place, labels]
    first = np.argsort(-scores, kind="stable")
    place, labels, scores = place[first], labels[first], scores[first]
    edges = np.asarray(answer[place, : 2 * rank], np.float64).reshape(-1, 2, rank)
    sound = np.isfinite(edges).all((1, 2)) & (edges[:, 1] > edges[:, 0]).all(1)
    return edges[sound], labels[sound], scores[sound]


def suppressed(
    edges: Array, labels: Array, scores: Array, plan: Plan, *, times: int = 1
) -> tuple[Array, Array, Array]:
    """The surest of each group of boxes that overlap, by falling score.

    Parameters
    ----------
    edges, labels, scores
        As `chosen` gives them, in any order.
    plan
        Its `settings` say which overlap is too much.
    times
        Tiles that they come from: each may have ``most`` boxes.
    """
    settings = DEFAULTS | dict(plan.settings)
    first = np.argsort(-scores, kind="stable")
    edges, labels, scores = np.ascontiguousarray(edges[first]), labels[first], scores[first]
    limit, most = float(settings["overlap"]), int(settings["most"]) * times
    if times > 1:
        kept = first_of(edges, labels.astype(np.int64), limit, most)
    else:
        kept = nms(edges, scores, labels, limit=limit)[:most]
    return edges[kept], labels[kept], scores[kept]


def scaled(image: Image, plan: Plan) -> Plan:
    """The plan for an image that shows more than those of train did: at their scale, not shrunk to plan.size.

    It may then hold as many more boxes as it is larger.

    That is known where both spacings are: by the extent in mm (`LARGER`), unless its pixels are far coarser than theirs
    on every axis (`COARSER`): it is seen whole then, and nothing is made up between its pixels. Where one is not known,
    a large image may be many fields or one field of a better camera; ``settings["windows"]`` says which (true: many),
    else it is seen whole.

    Parameters
    ----------
    image
        Of plan.rank axes.
    plan
        Its `settings` may hold ``seen`` and ``pixel``: median grid and mm per pixel of the images of train.
    """
    seen, asked = plan.settings.get("seen"), plan.settings.get("windows")
    if plan.size is None or not seen or asked is False or image.ndim != plan.rank:
        return plan
    own, spacing = np.asarray(image.geometry.shape, np.float64), plan.settings.get("pixel")
    if spacing and image.geometry.spacing:
        coarser = np.asarray(image.geometry.spacing) / np.asarray(spacing)
        if coarser.min() > COARSER:
            return plan
        own = own * coarser
    elif not asked:
        return plan
    times = own / np.asarray(seen, np.float64)
    if times.min() < LARGER:
        return plan
    size = tuple(int(n) for n in np.maximum(1, np.rint(times * np.asarray(plan.size))))
    fields = math.ceil(times.prod())
    more = {"most": int((DEFAULTS | plan.settings)["most"]) * fields, "candidates": _first(plan) * fields}
    return replace(plan, size=size, settings=plan.settings | more)


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
