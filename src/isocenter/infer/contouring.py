"""Each object by itself, from a network that says what every pixel is and where the centre of its object lies."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from isocenter.data import Image, Instances, NotEvaluated, Plan
from isocenter.errors import BundleError
from isocenter.infer.engines import Engine
from isocenter.infer.preparing import prepared, unusable
from isocenter.infer.segmenting import logits, softmax
from isocenter.ops import voting
from isocenter.ops.array import Array

# Of the numbers below, what holds where the plan does not say.
PROBABILITY, SCORE, PROMINENCE = 0.5, 0.0, 0.4


def contour(engine: Engine, image: Image, plan: Plan) -> Instances | NotEvaluated:
    """The objects of one image, on its own grid.

    The network's answers are blended over windows before objects are made of them, so that an object on a seam is the
    same as in one piece.

    Parameters
    ----------
    engine
        As `infer.engine` makes it.
    image
        Of plan.rank spatial axes.
    plan
        Its head is ``"contours"``; see `decoded` for its settings.

    Raises
    ------
    InputError, ResourceError
        As `prepare`.
    BundleError
        The plan is for another kind of answer.
    """
    if plan.kind != "contours":
        raise BundleError("the plan is for another kind of answer", got=plan.kind, wanted="contours")
    array = image.channels_first()
    lack = unusable(array)
    if lack is not None:
        return lack
    seen = prepared(array, image, plan)
    numbers, labels, scores = decoded(np.concatenate(list(logits(engine, seen.array, plan)), axis=1), plan)
    own = image.geometry.shape
    if numbers.shape != own:
        numbers, labels, scores = _on(own, numbers, labels, scores)
    return Instances.from_label_map(
        numbers, image.geometry, classes=plan.classes[1:], labels=labels.tolist(), scores=scores.tolist()
    )


def decoded(maps: Array, plan: Plan) -> tuple[Array, Array, Array]:
    """Objects of the network's answer.

    Parameters
    ----------
    maps
        float32 (classes + 1 + axes, *grid): logits of the classes, background first; logit of how far inside its object
        a pixel lies; offset to the object's centre in units of ``scale`` pixels.
    plan
        Its settings: ``scale``; ``probability`` (of any object, from which a pixel belongs to one); ``score`` (least
        mean probability of an object); ``prominence`` (of its centre, as in `ops.voting.objects`).

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
    numbers = _whole(
        voting.objects(inside, offsets, depth, prominence=float(how.get("prominence", PROMINENCE)))
    )
    count = int(numbers.max(initial=0))
    area = np.bincount(numbers.ravel(), minlength=count + 1)[1:]
    at = np.arange(1, count + 1)
    sums = np.stack([ndimage.sum_labels(s, numbers, at) for s in shares[1:]]) if count else np.zeros((n - 1, 0))
    labels = sums.argmax(0).astype(np.int64)
    likely = ndimage.sum_labels(any_, numbers, at) / np.maximum(area, 1) if count else np.zeros(0)
    radius = np.maximum((area / np.pi) ** 0.5 if maps.ndim == 3 else (area * 0.75 / np.pi) ** (1 / 3), 1.0)
    agreed = 1.0 / (1.0 + voting.spread(numbers, offsets, numbers.shape) / radius) if count else np.zeros(0)
    scores = np.clip(likely * agreed, 0.0, 1.0)
    kept = (scores >= float(how.get("score", SCORE))) & (area >= float(plan.smallest))
    table = np.concatenate([[0], np.where(kept, np.cumsum(kept), 0)]).astype(np.int32)
    return table[numbers], labels[kept], np.asarray(scores[kept], np.float64)


def _whole(numbers: Array) -> Array:
    """Objects with their holes filled by themselves; what lies apart of the larger half goes to nobody."""
    out = numbers.copy()
    for i, box in enumerate(ndimage.find_objects(numbers), start=1):
        if box is None:
            continue
        mask = numbers[box] == i
        parts, count = ndimage.label(mask)
        if count > 1:
            sizes = np.bincount(parts.ravel())[1:]
            lost = mask & (parts != int(sizes.argmax()) + 1)
            out[box][lost] = 0
            mask = mask & ~lost
        full = ndimage.binary_fill_holes(mask)
        out[box][full & (out[box] == 0)] = i
    return out


def _on(
    own: tuple[int, ...], numbers: Array, labels: Array, scores: Array
) -> tuple[Array, Array, Array]:
    """The objects on another grid of the same box, by the nearest pixel; those that no pixel holds are dropped."""
    pairs = zip(own, numbers.shape, strict=True)
    at = [np.minimum(((np.arange(n) + 0.5) * k / n).astype(int), k - 1) for n, k in pairs]
    there = numbers[np.ix_(*at)]
    held = np.unique(there[there > 0]) - 1
    return there, labels[held], scores[held]
