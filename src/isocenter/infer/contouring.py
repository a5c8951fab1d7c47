"""Each object by itself, from a network that says what every pixel is and where the centre of its object lies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import ndimage

from isocenter.data import Image, Instances, NotEvaluated, Plan
from isocenter.errors import BundleError
from isocenter.infer.engines import Engine
from isocenter.infer.memory import require
from isocenter.infer.preparing import prepared, unusable, weight
from isocenter.infer.segmenting import answering, logits, softmax
from isocenter.infer.slicing import instances_of, slices
from isocenter.ops import stain, voting
from isocenter.ops.array import Array
from isocenter.ops.components import at_rim
from isocenter.ops.mending import mended
from isocenter.ops.windows import multiple

# Of the numbers below, what holds where the plan does not say.
PROBABILITY, SCORE, PROMINENCE = 0.5, 0.0, 0.4
# In two axes: largest side of a window in pixels, however small the training patch was, and least overlap of two.
# A network of convolutions answers a larger window at the same cost a pixel, and less of it twice. On the val split of
# DSB 2018 ap50 is 0.807 with these and 0.801 with windows of 256 px that overlap by half (n = 35).
WINDOW, OVERLAP = 640, 96
# Bytes a pixel that dividing takes, beside the answer, the shares of the classes and the offsets (measured).
DIVIDING = 60
# Bytes a pixel of a colour picture whose stains are taken apart: shares of light, and three times their densities.
STAINING = 48
RGB = ("red", "green", "blue")


def contour(engine: Engine, image: Image, plan: Plan) -> Instances | NotEvaluated:
    """The objects of one image, on its own grid.

    The network's answers are blended over windows before objects are made of them, so that an object on a seam is the
    same as in one piece. A network of rank 2 answers a volume slice by slice: each object is one slice thick.

    Parameters
    ----------
    engine
        As `infer.engine` makes it.
    image
        2D or 3D.
    plan
        Its head is ``"contours"``; see `decoded` and `widened` for its settings.

    Raises
    ------
    InputError, ResourceError
        As `prepare`.
    BundleError
        The plan is for another kind of answer.
    """
    if plan.kind != "contours":
        raise BundleError("the plan is for another kind of answer", got=plan.kind, wanted="contours")
    remedy = "Give a part of the image, or use a plan with a smaller window"
    require(needed(engine, image, plan, flight=1), what=f"an image of {image.geometry.shape}", remedy=remedy)
    array = image.channels_first()
    lack = unusable(array)
    if lack is not None:
        return lack
    if image.ndim == 3 and plan.rank == 2:
        return instances_of([_one(engine, s.pixels(), s, plan) for s in slices(image, array)], image.geometry)
    return _one(engine, array, image, plan)


def needed(engine: Engine, image: Image, plan: Plan, *, flight: int | None = None) -> int:
    """Bytes that the objects of an image take at their peak, beside the process as it is; nothing is read.

    Parameters
    ----------
    engine, image, plan
        As in `contour`.
    flight
        Windows at the same time; default as many as the engine is built for.
    """
    seen = weight(image, plan)
    busy = answering(engine, seen.grid, widened(plan, seen.grid), flight=flight)
    pixels, outputs = math.prod(seen.grid), 4 * plan.outputs
    # Slabs of the answer gather while windows are in flight; joining them takes as much again.
    gathering = seen.made + outputs * pixels + max(busy, outputs * pixels)
    dividing = (outputs + 4 * (len(plan.classes) + plan.rank) + DIVIDING) * pixels
    stains = STAINING * math.prod(image.geometry.shape) if plan.settings.get("counterstain") else 0
    return seen.raw + max(stains, seen.making, gathering, dividing)


def _one(engine: Engine, array: Array, image: Image, plan: Plan) -> Instances:
    if plan.settings.get("counterstain"):
        array, image = counterstain(array, image)
    numbers, labels, scores = decoded(maps_of(engine, prepared(array, image, plan).array, plan), plan)
    own = image.geometry.shape
    if numbers.shape != own:
        numbers, labels, scores = _on(own, numbers, labels, scores)
    boxes = ndimage.find_objects(numbers)
    starts = np.asarray([[s.start for s in box] for box in boxes], np.int64).reshape(-1, numbers.ndim)
    masks = tuple(numbers[box] == i for i, box in enumerate(boxes, start=1))
    return Instances(starts, masks, labels, plan.classes[1:], image.geometry, scores)


def counterstain(array: Array, image: Image) -> tuple[Array, Image]:
    """The hematoxylin of a picture of hematoxylin and DAB, bright on dark as fluorescence is; any other as it is.

    Parameters
    ----------
    array, image
        Channels first, and the image that they are of.
    """
    names = list(image.channels)
    if not set(RGB) <= set(names):
        return array, image
    colours = array[[names.index(c) for c in RGB]]
    pair = stain.pair_of(colours)
    if pair is None or "dab" not in pair:
        return array, image
    seen = stain.separate(colours, pair)[:1]
    return seen, Image.from_array(seen[0], geometry=image.geometry, modality=image.modality)


def maps_of(engine: Engine, array: Array, plan: Plan) -> Array:
    """The network's whole answer (outputs, *grid) about a prepared array (c, *grid), for `decoded`."""
    return np.concatenate(list(logits(engine, array, widened(plan, array.shape[1:]))), axis=1)


def widened(plan: Plan, grid: Sequence[int]) -> Plan:
    """The plan with the windows that answer a grid.

    In two axes they are as few as sides of ``settings["window"]`` pixels allow (or plan.patch, where it is larger) and
    no larger than that many need to overlap by ``settings["margin"]``. In three axes they are those of the plan.

    Parameters
    ----------
    plan
        With a patch; without one, the grid is answered whole.
    grid
        Working grid.

    >>> plan = Plan("instances", 2, 1, ("background", "cell"), patch=(256, 256), divisor=(8, 8), head="contours")
    >>> widened(plan, (1024, 700)).patch
    (560, 400)
    """
    if plan.rank != 2 or not plan.patch:
        return plan
    most, margin = int(plan.settings.get("window", WINDOW)), int(plan.settings.get("margin", OVERLAP))
    sides: list[int] = []
    for n, patch, divisor in zip(grid, plan.patch, plan.divisor or (1, 1), strict=True):
        side = max(most, patch, margin + divisor)
        count = 1 if n <= side else -(-(n - margin) // (side - margin))
        sides += multiple([-(-(n + (count - 1) * margin) // count)], (divisor,))
    share = max((margin / side for n, side in zip(grid, sides, strict=True) if side < n), default=plan.overlap)
    return replace(plan, patch=tuple(sides), overlap=share)


def decoded(maps: Array, plan: Plan) -> tuple[Array, Array, Array]:
    """Objects of the network's answer.

    Parameters
    ----------
    maps
        float32 (classes + 1 + axes, *grid): logits of the classes, background first; logit of how far inside its object
        a pixel lies; offset to the object's centre in units of ``scale`` pixels.
    plan
        Its settings: ``scale``; ``probability`` (of any object, from which a pixel belongs to one); ``score`` (least
        mean probability of an object); ``prominence`` (of its centre, as in `ops.voting.objects`); ``rim`` (False:
        objects that touch the picture's rim leave).

    Returns
    -------
    numbers
        int32 (*grid), objects from 1.
    labels
        int64 (n,): class of each object without background.
    scores
        float64 (n,): mean probability of its pixels, times how well their votes agree.
    """
    n, how = len(plan.classes), plan.settings
    shares = softmax(maps[:n])
    any_ = 1.0 - shares[0]
    depth = 1.0 / (1.0 + np.exp(-maps[n]))
    offsets = maps[n + 1 :] * np.float32(how["scale"])
    inside = any_ > float(how.get("probability", PROBABILITY))
    numbers = mended(
        voting.objects(inside, offsets, depth, prominence=float(how.get("prominence", PROMINENCE)))
    )
    count = int(numbers.max(initial=0))
    flat = np.flatnonzero(numbers)
    of = numbers.ravel()[flat] - 1
    area = np.bincount(of, minlength=count)
    sums = np.stack([np.bincount(of, weights=s.ravel()[flat], minlength=count) for s in shares[1:]])
    labels = sums.argmax(0).astype(np.int64)
    likely = np.bincount(of, weights=any_.ravel()[flat], minlength=count) / np.maximum(area, 1)
    radius = np.maximum((area / np.pi) ** 0.5 if maps.ndim == 3 else (area * 0.75 / np.pi) ** (1 / 3), 1.0)
    agreed = 1.0 / (1.0 + voting.spread(numbers, offsets, numbers.shape) / radius) if count else np.zeros(0)
    scores = np.clip(likely * agreed, 0.0, 1.0)
    kept = (scores >= float(how.get("score", SCORE))) & (area >= float(plan.smallest))
    if not how.get("rim", True):
        kept &= ~at_rim(numbers)[1:]
    table = np.concatenate([[0], np.where(kept, np.cumsum(kept), 0)]).astype(np.int32)
    return table[numbers], labels[kept], np.asarray(scores[kept], np.float64)


def _on(
    own: tuple[int, ...], numbers: Array, labels: Array, scores: Array
) -> tuple[Array, Array, Array]:
    """The objects on another grid of the same box, by the nearest pixel; those that no pixel holds are dropped."""
    pairs = zip(own, numbers.shape, strict=True)
    at = [np.minimum(((np.arange(n) + 0.5) * k / n).astype(int), k - 1) for n, k in pairs]
    there = numbers[np.ix_(*at)]
    held = np.bincount(there.ravel(), minlength=len(labels) + 1)[1:] > 0
    table = np.concatenate([[0], np.where(held, np.cumsum(held), 0)]).astype(np.int32)
    return table[there], labels[held], scores[held]
