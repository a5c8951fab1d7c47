"""Which pixel belongs to what: whole or in windows, on the image's own grid."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from isocenter.data import Image, NotEvaluated, Plan, Segmentation
from isocenter.data.cut import take
from isocenter.errors import BundleError
from isocenter.infer.engines import Engine
from isocenter.infer.memory import flight, pixel_bytes, require
from isocenter.infer.mirror import answered
from isocenter.infer.preparing import Prepared, prepared, unusable, weight
from isocenter.ops.array import Array
from isocenter.ops.components import tidied
from isocenter.ops.resample import labels_from_slabs, resize
from isocenter.ops.windows import blend, corners, multiple, padded, trimmed


def segment(engine: Engine, image: Image, plan: Plan, *, want_scores: bool = False) -> Segmentation | NotEvaluated:
    """The label map of one image.

    Images up to plan.patch are answered whole, larger ones in windows that are blended with Gaussian weights. A network
    of rank 2 answers a volume slice by slice. The logits never exist on the image's own grid, unless scores are wanted.

    Parameters
    ----------
    engine
        As `infer.engine` makes it.
    image
        2D or 3D.
    plan
        As in `Plan`.
    want_scores
        Also give the softmax of the logits on the own grid.

    Raises
    ------
    InputError
        As `prepare`; or an image of two axes for a network of three.
    ResourceError
        Not even one window fits into memory.
    BundleError
        The network does not answer as the plan says.
    """
    if plan.task != "segment":
        raise BundleError("the plan is for another question", got=plan.task, wanted="segment")
    remedy = f"Use a plan with patch {_half(_cut(weight(image, plan).grid, plan)[0], plan)}, or a part of the image"
    require(needed(engine, image, plan, flight=1), what=f"an image of {image.geometry.shape}", remedy=remedy)
    array = image.channels_first()
    lack = unusable(array)
    if lack is not None:
        return lack
    if want_scores:
        soft = 3 * 4 * len(plan.classes) * int(np.prod(image.geometry.shape))
        require(soft, what="scores on the image's grid", remedy="Ask for labels without scores")
    if image.ndim == plan.rank:
        labels, scores = _answer(engine, prepared(array, image, plan), plan, want_scores)
    else:
        volume = image.replaced(lambda: array, axes="czyx", shape=array.shape)
        labels, scores = _stack(engine, volume, plan, want_scores)
    labels = tidied(labels, keep_largest=plan.largest, smallest=plan.smallest, fill=plan.fill)
    return Segmentation(labels, plan.classes, image.geometry, scores)


def needed(engine: Engine, image: Image, plan: Plan, *, flight: int | None = None) -> int:
    """Bytes that the label map of an image takes at its peak, beside the process as it is; nothing is read.

    Right within 30 % for images whose answer takes more than the process itself.

    Parameters
    ----------
    engine, image, plan
        As in `segment`.
    flight
        Windows at the same time; default as many as the engine is built for.
    """
    seen = weight(image, plan)
    busy = answering(engine, seen.grid, plan, flight=flight)
    return seen.raw + math.prod(image.geometry.shape) + max(seen.making, seen.made + busy)


def answering(engine: Engine, grid: Sequence[int], plan: Plan, *, flight: int | None = None) -> int:
    """Bytes that `logits` takes beside the prepared array of a grid: its padded copy, windows in flight, their sums."""
    window, inside = _cut(grid, plan)
    copy = 4 * plan.channels * math.prod(inside) if inside != tuple(grid) else 0
    calls = int(getattr(engine, "parallel", 1)) if flight is None else flight
    return copy + calls * math.prod(window) * pixel_bytes(engine) + _rolling(window, inside, plan)


def _cut(grid: Sequence[int], plan: Plan) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The window that a prepared grid is answered in, and the grid with its padding."""
    whole = multiple(grid, plan.divisor)
    window = tuple(map(min, whole, multiple(plan.patch, plan.divisor))) if plan.patch else whole
    return window, tuple(max(n, w) for n, w in zip(grid, window, strict=True))


def _half(window: Sequence[int], plan: Plan) -> tuple[int, ...]:
    return multiple([-(-n // 2) for n in window], plan.divisor)


def _rolling(window: Sequence[int], inside: Sequence[int], plan: Plan) -> int:
    """Bytes of the sums that windows are blended in, and of their copies on the way out."""
    return 3 * 4 * (plan.outputs + 1) * window[0] * math.prod(inside[1:])


def _stack(engine: Engine, volume: Image, plan: Plan, want_scores: bool) -> tuple[Array, Array | None]:
    labels = np.empty(volume.geometry.shape, np.uint8)
    scores = np.empty((len(plan.classes), *labels.shape), np.float32) if want_scores else None
    for i in range(len(labels)):
        piece = take(volume, "z", i)
        labels[i], found = _answer(engine, prepared(piece.pixels(), piece, plan), plan, want_scores)
        if scores is not None:
            scores[:, i] = found
    return labels, scores


def _answer(engine: Engine, ready: Prepared, plan: Plan, want_scores: bool) -> tuple[Array, Array | None]:
    slabs = logits(engine, ready.array, plan)
    if not want_scores:
        return labels_from_slabs(slabs, ready.working, ready.own), None
    whole = np.concatenate(list(slabs), axis=1)
    return labels_from_slabs([whole], ready.working, ready.own), softmax(resize(whole, ready.own))


def logits(engine: Engine, array: Array, plan: Plan) -> Iterator[Array]:
    """Logits (outputs, rows, *rest) of a prepared array (c, *grid), in slabs along its first axis."""
    grid = array.shape[1:]
    window, shape = _cut(grid, plan)
    inside = padded(array, window)
    remedy = f"Use a plan with patch {_half(window, plan)}"
    count = flight(engine, window, extra=_rolling(window, shape, plan), remedy=remedy)
    where = corners(shape, window, plan.overlap)
    cuts = (inside[(slice(None), *(slice(c, c + n) for c, n in zip(at, window, strict=True)))] for at in where)
    answers = answered(engine, cuts, mirror=plan.mirror, classes=plan.outputs, flight=count)
    return trimmed(answers if shape == window else blend(answers, where, shape), shape, grid)


def softmax(scores: Array) -> Array:
    """float32 scores over the first axis that sum to 1."""
    out = scores - scores.max(axis=0, keepdims=True)
    np.exp(out, out=out)
    out /= out.sum(axis=0, keepdims=True)
    return np.asarray(out)
