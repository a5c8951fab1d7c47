"""Which pixels are which object, by a region network: proposals, heads that look again, masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from isocenter.data import Geometry, Image, Instances, NotEvaluated, Plan
from isocenter.errors import BundleError, InputError
from isocenter.infer.engines import Engine
from isocenter.infer.memory import flight
from isocenter.infer.preparing import prepared, unusable
from isocenter.ops import proposals
from isocenter.ops.array import Array
from isocenter.ops.boxes import clip
from isocenter.ops.roi import pasted, pooled
from isocenter.ops.windows import multiple, padded

NETWORK, MASK = "network.onnx", "mask.onnx"
# Regions that go through a head at once: bounds its memory.
TOGETHER = 256


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

    def surer(self, least: float) -> Regions:
        """Those with at least this score."""
        at = self.scores >= least
        return Regions(self.edges[at], self.scores[at], self.labels[at], self.masks[at])


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
        2D; seen whole.
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
    array = image.channels_first()
    lack = unusable(array)
    if lack is not None:
        return lack
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
    """The objects of a prepared image (c, height, width), on its grid.

    Raises
    ------
    ResourceError
        The image does not fit into memory.
    BundleError
        A network does not answer as the plan says.
    """
    settings, own = plan.settings, array.shape[1:]
    if len(own) != 2:
        raise InputError("region networks see two axes", got=f"{len(own)}D", remedy="Use cut('slice')")
    shape = multiple(own, plan.divisor)
    network = engines[NETWORK]
    flight(network, shape, remedy="Give a smaller part of the image")
    maps, scores, by = split(network(padded(array, shape)[None])[0], shape, plan)
    strides, sizes = settings["strides"], settings["anchors"]
    grids = [proposals.grid(m.shape[1:], s, a) for m, s, a in zip(maps, strides, sizes, strict=True)]
    levels = np.repeat(np.arange(len(grids)), [len(g) for g in grids])
    edges = proposals.propose(
        scores, by, np.concatenate(grids), levels, shape=shape, counts=tuple(settings["proposals"])
    )
    edges, sure = _judged(engines, maps, edges, plan, shape)
    shift = np.asarray([(a - b) // 2 for a, b in zip(shape, own, strict=True)], np.float64)
    # What lies in the mirrored margin alone is no object of the image.
    seen = clip(edges - shift, own)
    inside = np.flatnonzero(np.all(seen[:, 1] - seen[:, 0] >= 1, axis=1))
    edges, found, labels = proposals.detected(
        edges[inside], sure[inside], least=settings["least"], limit=settings["limit"], most=settings["most"]
    )
    crops = pooled(maps, edges, size=settings["bins"][1], strides=strides)
    masks = _together(engines[MASK], crops)
    mine = masks[np.arange(len(masks)), labels] if len(masks) else np.zeros((0, 1, 1), np.float32)
    return Regions(edges - shift, found, labels, _sigmoid(mine))


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
    return np.concatenate([engine(crops[i : i + TOGETHER]) for i in range(0, len(crops), TOGETHER)])


def _sigmoid(logits: Array) -> Array:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * logits)), np.float32)
