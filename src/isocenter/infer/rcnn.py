"""Which pixels are which object, by a region network: proposals, heads that look again, masks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from isocenter.data import Geometry, Image, Instances, NotEvaluated, Plan
from isocenter.errors import BundleError, InputError
from isocenter.infer.engines import Engine
from isocenter.infer.memory import flight, pixel_bytes, require
from isocenter.infer.preparing import prepared, unusable, weight
from isocenter.infer.slicing import instances_of, slices
from isocenter.ops import proposals
from isocenter.ops.array import Array
from isocenter.ops.boxes import centres, clip, nms
from isocenter.ops.roi import pasted, pooled
from isocenter.ops.tiles import tiles, widest
from isocenter.ops.windows import multiple, padded

NETWORK, MASK = "network.onnx", "mask.onnx"
# Regions that go through a head at once, which bounds its memory, and of which their number is a multiple: every number
# of its own would leave memory behind that the allocator and the kernels keep for the next of the same size.
TOGETHER, STEP = 256, 32
# Where the plan's settings have no `window`: side in pixels of the working grid up to which an image is seen whole.
SIDE = 1024


@dataclass(frozen=True)
class Regions:
    """Objects on the network's grid, the surest first.

    Parameters
    ----------
    edges
        float64 (n, 2, 2) in pixels of the grid.
    scores, labels
        (n,) probability and class.
    masks
        float32 (n, size, size): probability of each bin of the box.
    """

    edges: Array
    scores: Array
    labels: Array
    masks: Array

    def at(self, which: Array) -> Regions:
        """Those at these positions, or where a bool array (n,) holds."""
        return Regions(self.edges[which], self.scores[which], self.labels[which], self.masks[which])

    def surer(self, least: float) -> Regions:
        """Those with at least this score."""
        return self.at(self.scores >= least)


def head(i: int) -> str:
    """File name of a box head, counted from 0."""
    return f"box{i}.onnx"


def instances(engines: Mapping[str, Engine], image: Image, plan: Plan) -> Instances | NotEvaluated:
    """The objects of one image, each with class, probability and mask; masks may overlap.

    Source: He et al., Mask R-CNN, ICCV 2017; Cai and Vasconcelos, Cascade R-CNN, CVPR 2018.

    Parameters
    ----------
    engines
        ``network.onnx`` (image to features and proposals), ``box0.onnx`` ... (regions to classes and steps) and
        ``mask.onnx``, each as `infer.ready` makes it.
    image
        2D, in tiles where it exceeds the window; of a volume each slice by itself.
    plan
        With `settings` ``strides``, ``anchors``, ``features``, ``spreads`` (one pair a head), ``bins`` (of box and
        mask), ``proposals`` (of a level, of all), ``least``, ``limit`` and ``most`` as in `ops.proposals.detected`.

    Raises
    ------
    InputError
        As `prepare`.
    ResourceError
        The image does not fit into memory.
    BundleError
        A network does not answer as the plan says.
    """
    if plan.task != "instances" or plan.head != "rcnn":
        raise BundleError("the plan is for another question", got=f"{plan.task} {plan.head}", wanted="instances rcnn")
    if plan.rank != 2:
        raise InputError("region networks see two axes", got=f"{plan.rank}D", remedy="Use cut('slice')")
    require(
        needed(engines, image, plan), what=f"an image of {image.geometry.shape}", remedy="Give a part of the image"
    )
    array = image.channels_first()
    lack = unusable(array)
    if lack is not None:
        return lack
    if image.ndim == 3:
        return instances_of([_one(engines, s.pixels(), s, plan) for s in slices(image, array)], image.geometry)
    return _one(engines, array, image, plan)


def needed(engines: Mapping[str, Engine], image: Image, plan: Plan) -> int:
    """Bytes that the objects of an image take at their peak, without their masks, beside the process as it is.

    Parameters
    ----------
    engines, image, plan
        As in `instances`; nothing is read.
    """
    seen = weight(image, plan)
    shape = multiple(seen.grid, plan.divisor)
    copy = 4 * plan.channels * math.prod(shape) if shape != seen.grid else 0
    tile = math.prod(map(min, shape, widest(*_window(plan), plan.divisor)))
    settings = plan.settings
    cells = sum(tile / stride**2 for stride in settings["strides"])
    # Features and proposals as the network gives them, and as they are taken apart.
    maps = 2 * 4 * (int(settings["features"]) + 5 * max(map(len, settings["anchors"]))) * cells
    crops = 4 * int(settings["features"]) * int(settings["proposals"][1]) * int(settings["bins"][0]) ** 2
    busy = max(tile * pixel_bytes(engines[NETWORK]), maps + crops)
    return int(seen.raw + max(seen.making, seen.made + copy + busy))


def _window(plan: Plan) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Sides of a tile and the margin of its seams: twice the largest anchor."""
    reach = 2 * max(float(v) for sizes in plan.settings["anchors"] for size in sizes for v in size)
    return tuple(plan.settings.get("window") or (SIDE, SIDE)), (reach, reach)


def _one(engines: Mapping[str, Engine], array: Array, image: Image, plan: Plan) -> Instances:
    ready = prepared(array, image, plan)
    found = regions(engines, ready.array, plan)
    return outlined(found, ready.working, image.geometry, plan.classes)


def outlined(found: Regions, working: Sequence[int], geometry: Geometry, classes: Sequence[str]) -> Instances:
    """Objects on an image's own grid; one that holds no pixel there is left out.

    Parameters
    ----------
    found
        On the working grid.
    working
        That grid.
    geometry
        Of the image.
    classes
        Names.
    """
    own = geometry.shape
    edges = (found.edges + 0.5) * (np.asarray(own) / np.asarray(working)) - 0.5
    starts, masks = pasted(found.masks, edges, own)
    held = np.flatnonzero([m.size > 0 for m in masks])
    return Instances(
        starts[held], tuple(masks[int(i)] for i in held), found.labels[held], tuple(classes), geometry,
        found.scores[held],
    )  # fmt: skip


def regions(engines: Mapping[str, Engine], array: Array, plan: Plan) -> Regions:
    """The objects of a prepared image (c, height, width), on its grid; whole or in tiles.

    Tiles overlap by four times the largest anchor; an object belongs to the tile in whose core its centre lies, with
    the mask that it has there, and of two that overlap too much the surer remains, whichever tiles they come from.

    Raises
    ------
    ResourceError
        Not even one tile fits into memory.
    BundleError
        A network does not answer as the plan says.
    """
    own = array.shape[1:]
    if len(own) != 2:
        raise InputError("region networks see two axes", got=f"{len(own)}D", remedy="Use cut('slice')")
    shape = multiple(own, plan.divisor)
    parts = tiles(shape, *_window(plan), plan.divisor)
    flight(engines[NETWORK], parts[0].size, remedy="Give a smaller part of the image")
    whole = padded(array, shape)
    shift = np.asarray([(a - b) // 2 for a, b in zip(shape, own, strict=True)], np.float64)
    found = [_seen(engines, part.cut(whole), plan, by=part.start - shift, own=own) for part in parts]
    if len(parts) == 1:
        return found[0]
    held = [np.flatnonzero(t.holds(centres(f.edges + shift))) for t, f in zip(parts, found, strict=True)]
    return _merged([f.at(h) for f, h in zip(found, held, strict=True)], plan)


def _seen(engines: Mapping[str, Engine], array: Array, plan: Plan, *, by: Array, own: Sequence[int]) -> Regions:
    """The objects of one tile (c, height, width), moved by `by` onto the image's grid `own`."""
    settings, shape = plan.settings, array.shape[1:]
    maps, scores, moves = split(engines[NETWORK](array[None])[0], shape, plan)
    strides, sizes = settings["strides"], settings["anchors"]
    grids = [proposals.grid(m.shape[1:], s, a) for m, s, a in zip(maps, strides, sizes, strict=True)]
    levels = np.repeat(np.arange(len(grids)), [len(g) for g in grids])
    edges = proposals.propose(
        scores, moves, np.concatenate(grids), levels, shape=shape, counts=tuple(settings["proposals"])
    )
    edges, sure = _judged(engines, maps, edges, plan, shape)
    # What lies in the mirrored margin alone is no object of the image.
    seen = clip(edges + by, own)
    inside = np.flatnonzero(np.all(seen[:, 1] - seen[:, 0] >= 1, axis=1))
    edges, found, labels = proposals.detected(
        edges[inside], sure[inside], least=settings["least"], limit=settings["limit"], most=settings["most"]
    )
    crops = pooled(maps, edges, size=settings["bins"][1], strides=strides)
    masks = _together(engines[MASK], crops)
    if len(masks) and (masks.ndim != 4 or masks.shape[1] != len(plan.classes)):
        raise BundleError("a head answers in another shape than its plan says", got=str(masks.shape))
    mine = masks[np.arange(len(masks)), labels] if len(masks) else np.zeros((0, 1, 1), np.float32)
    return Regions(edges + by, found, labels, _sigmoid(mine))


def _merged(found: Sequence[Regions], plan: Plan) -> Regions:
    """The objects of all tiles, the surest first, each once."""
    held = [f for f in found if len(f.scores)] or found[:1]
    edges, scores, labels, masks = (
        np.concatenate([getattr(f, name) for f in held]) for name in ("edges", "scores", "labels", "masks")
    )
    kept = nms(edges, scores, labels, limit=float(plan.settings["limit"]))
    return Regions(edges, scores, labels, masks).at(kept)


def split(answer: Array, shape: Sequence[int], plan: Plan) -> tuple[list[Array], Array, Array]:
    """What the first network says, by its parts.

    Parameters
    ----------
    answer
        float32 (features + 5 * anchors, places): see `nets.rcnn.RCNN.forward`.
    shape
        Grid that was asked about.
    plan
        As in `instances`.

    Returns
    -------
    maps
        float32 (features, height, width) of each level.
    scores, steps
        (n,) logit, and (n, 2, 2) step of each anchor, in the order of `ops.proposals.grid`.

    Raises
    ------
    BundleError
        The answer has another shape.
    """
    settings, maps, rest, start = plan.settings, [], [], 0
    width = int(settings["features"])
    answer = answer.reshape(len(answer), -1)
    for stride, sizes in zip(settings["strides"], settings["anchors"], strict=True):
        cells = tuple(n // stride for n in shape)
        part = answer[:, start : start + cells[0] * cells[1]]
        start += cells[0] * cells[1]
        if part.shape != (width + 5 * len(sizes), cells[0] * cells[1]):
            raise BundleError("the network answers in another shape than its plan says", got=str(answer.shape))
        maps.append(np.ascontiguousarray(part[:width]).reshape(width, *cells))
        rest.append(part[width:].T.reshape(-1, 5))
    flat = np.concatenate(rest)
    return maps, flat[:, 0], flat[:, 1:].reshape(-1, 2, 2)


def _judged(
    engines: Mapping[str, Engine], maps: Sequence[Array], edges: Array, plan: Plan, shape: Sequence[int]
) -> tuple[Array, Array]:
    """Boxes after the last head, and the mean over heads of the probability of each class."""
    settings = plan.settings
    bins, spreads, classes = settings["bins"][0], settings["spreads"], len(plan.classes)
    total = np.zeros((len(edges), classes))
    for i, spread in enumerate(spreads):
        out = _together(engines[head(i)], pooled(maps, edges, size=bins, strides=settings["strides"]))
        if out.shape[1:] != (classes + 5,) and len(edges):
            raise BundleError("a head answers in another shape than its plan says", got=str(out.shape))
        out = out.reshape(len(edges), classes + 5).astype(np.float64)
        raised = np.exp(out[:, : classes + 1] - out[:, : classes + 1].max(1, keepdims=True, initial=-np.inf))
        total += (raised / raised.sum(1, keepdims=True))[:, 1:]
        edges = clip(proposals.moved(edges, out[:, classes + 1 :].reshape(-1, 2, 2), spread), shape)
        total *= np.all(edges[:, 1] > edges[:, 0], axis=1, keepdims=True)
    return edges, total / len(spreads)


def _together(engine: Engine, crops: Array) -> Array:
    """The answers about all regions, some at a time."""
    if not len(crops):
        return np.zeros((0, 1), np.float32)
    spare = np.zeros((-len(crops) % STEP, *crops.shape[1:]), crops.dtype)
    full = np.concatenate([crops, spare])
    out = [engine(full[i : i + TOGETHER]) for i in range(0, len(full), TOGETHER)]
    return np.concatenate(out)[: len(crops)]


def _sigmoid(logits: Array) -> Array:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * logits)), np.float32)
