"""The differentiable way from an image's own pixels to a decision: what `infer.prepare` does, for gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from isocenter.data import IGNORE, Case, Image, Passage, Plan
from isocenter.data.geometry import orienting
from isocenter.data.repainted import repainted
from isocenter.data.turning import moved, turned, turns
from isocenter.errors import InputError, RecipeError
from isocenter.infer.classifying import probabilities
from isocenter.infer.preparing import ALPHA, prepared, unusable, working_shape
from isocenter.ops import harmonise
from isocenter.ops.array import Array
from isocenter.ops.normalise import SAMPLE
from isocenter.ops.resample import resize, taps, winner
from isocenter.ops.windows import multiple, padded


def through(module: Any, plan: Plan, case: Case) -> Passage:
    """The way of one case's leading image through a network.

    What the normalisation reads off the image (mean, spread) takes part in the gradient; percentiles count as given.

    Parameters
    ----------
    module
        torch module: (n, c, *grid) to logits.
    plan
        Of that network.
    case
        Its leading image is the one.

    Raises
    ------
    InputError
        As `infer.prepare`: a film, another number of axes (a volume for a network of two axes) or of channels, pixels
        that are not finite.
    RecipeError
        The plan equalises contrast tile by tile.
    """
    import torch

    image = case.image()
    array = image.channels_first()
    lack = unusable(array)
    if lack is not None:
        raise InputError(lack.reason, where=image.name, got=lack.measured, wanted=lack.limit)
    there = turned(image, plan.orientation)
    # Refuses what prediction would refuse, in the same words.
    prepared(array if there is image else there.channels_first(), there, plan)
    places = _places(image, plan.channels)
    order, flips = _turn(image, plan.orientation)
    shape = working_shape(there, plan)
    whole = multiple(shape, plan.divisor)

    def scores(x: Any) -> Any:
        x = _grid(_turned(x, order, flips), shape)
        x = _normalised(x, plan, image.dtype)
        x = x.expand(-1, plan.channels, *x.shape[2:]) if x.shape[1] < plan.channels else x
        return decision(module(_padded(x, whole)), plan)

    def labels(values: Array) -> Array:
        layers = [v for v in np.unique(values) if v != IGNORE]
        own = moved(values, order, flips) if order else values
        votes = resize(np.stack([own == v for v in (*layers, IGNORE)]).astype(np.float32), shape)
        found = np.asarray([*layers, IGNORE], np.uint8)[winner(votes)]
        lack = [max(0, n - have) for n, have in zip(whole, shape, strict=True)]
        return np.pad(found, [(n // 2, n - n // 2) for n in lack], constant_values=IGNORE)

    first = np.stack([array[at[0]] for at in places]).astype(np.float32)
    return Passage(torch.from_numpy(first)[None], scores, labels, changer(case, places), plan.multilabel)


def changer(case: Case, places: Sequence[Sequence[int]]) -> Callable[[Array], Case]:
    """What makes the case with other pixels in its leading image, rounded to the stored type.

    Parameters
    ----------
    case
        As it is.
    places
        Per channel of the new pixels the channels of the image that take them.
    """
    array = case.image().channels_first()

    def changed(values: Array) -> Case:
        out = array.astype(np.float64)
        for channel, at in zip(values, places, strict=True):
            out[list(at)] = channel
        return repainted(case, out)

    return changed


def decision(logits: Any, plan: Plan) -> Any:
    """Logits (n, outputs[, *grid]) as scores of which the largest is decided for, with temperature and thresholds.

    With plan.multilabel every class above 0 is decided for. See `infer.classifying.decided`. A calibration of more than
    two classes that exclude each other is left out.
    """
    import torch

    if plan.task != "classify":
        return logits[:, : len(plan.classes)]
    n = len(plan.classes)
    limits = np.asarray(plan.thresholds * n if len(plan.thresholds) == 1 else plan.thresholds or (0.5,) * n, np.float64)
    limits = np.clip(limits, 1e-12, 1 - 1e-12)
    if plan.multilabel:
        shift = _limits(lambda z: probabilities(z, plan) >= limits, np.zeros(n))
    elif n == 2:
        named = plan.positive in plan.classes
        at = plan.classes.index(plan.positive) if named else 1
        first = limits[at] if named else limits[1] / limits.sum()
        towards = np.where(np.arange(2) == at, 1.0, 0.0)
        shift = towards * _limits(lambda z: probabilities(z * towards, plan)[at : at + 1] >= first, np.zeros(1))
    else:
        shift = plan.temperature * np.log(limits)
    return (logits - torch.from_numpy(shift.astype(np.float32))) / plan.temperature


def _limits(reached: Callable[[Array], Array], start: Array) -> Array:
    """The least logits at which what rises with them is reached, by halving; it holds whatever calibration rises."""
    low, high = start - 200.0, start + 200.0
    for _ in range(60):
        middle = (low + high) / 2
        there = reached(middle)
        low, high = np.where(there, low, middle), np.where(there, middle, high)
    return np.asarray(high)


def _places(image: Image, wanted: int) -> list[list[int]]:
    """Per channel that the network looks at: the channels of the image that hold it."""
    names = [name.lower() for name in image.channels] or [""] * image.length("c")
    opaque = [i for i, name in enumerate(names) if name not in ALPHA]
    # Three equal channels stand for one; that they are equal was checked on the way.
    return [opaque] if len(opaque) == 3 and wanted == 1 else [[i] for i in opaque]


def _turn(image: Image, codes: str | None) -> tuple[tuple[int, ...], tuple[bool, ...]]:
    return orienting(image.geometry, codes) if codes and turns(image.geometry, codes) else ((), ())


def _turned(x: Any, order: Sequence[int], flips: Sequence[bool]) -> Any:
    if not order:
        return x
    out = x.permute(0, 1, *(2 + o for o in order))
    return out.flip([2 + a for a, flip in enumerate(flips) if flip])


def _grid(x: Any, shape: Sequence[int]) -> Any:
    """The linear resampling of `ops.resample.resize`, a matrix an axis."""
    import torch

    for axis, n in enumerate(shape, start=2):
        if x.shape[axis] != n:
            index, weight = taps(x.shape[axis], n)
            matrix = np.zeros((n, x.shape[axis]), np.float32)
            np.add.at(matrix, (np.arange(n)[:, None], index), weight)
            x = torch.tensordot(x, torch.from_numpy(matrix), dims=([axis], [1])).movedim(-1, axis)
    return x


def _padded(x: Any, shape: Sequence[int]) -> Any:
    import torch

    for axis, n in enumerate(shape, start=2):
        if x.shape[axis] < n:
            place = padded(np.arange(x.shape[axis])[None], (n,))[0]
            x = x.index_select(axis, torch.from_numpy(place))
    return x


def _normalised(x: Any, plan: Plan, dtype: str) -> Any:
    """As `ops.normalise`, image by image and channel by channel."""
    import torch

    how, axes = plan.normalisation, tuple(range(2, x.ndim))
    if how.kind == "rescale" and np.dtype(dtype).kind in "iu":
        return x * (1.0 / float(np.iinfo(np.dtype(dtype)).max))
    if how.kind == "window" and how.low is not None and how.high is not None:
        middle = (how.low + how.high) / 2 if how.mean is None else how.mean
        return (x.clamp(how.low, how.high) - middle) * (1.0 / (how.sd or (how.high - how.low) / 4))
    if how.kind == "standardise":
        mean = x.mean(dim=axes, keepdim=True)
        sd = (x - mean).square().mean(dim=axes, keepdim=True).sqrt()
        flat = sd <= 1e-6 * mean.abs().clamp(min=1.0)
        return torch.where(flat, torch.zeros_like(x), (x - mean) / sd.clamp(min=1e-30))
    if how.kind == "foreground":
        return _by_foreground(x, axes)
    if how.kind == "landmarks":
        return _by_landmarks(x, how.landmarks)
    if how.kind == "clahe":
        raise RecipeError("gradients do not pass through contrast equalised tile by tile", got="before.intensity=clahe",
                          remedy="Train with another before.intensity; square and occlusion need no gradients")
    if how.kind == "percentile":
        flat = x.detach().reshape(*x.shape[:2], -1)
        flat = flat[..., :: flat.shape[-1] // SAMPLE | 1].double().numpy()
        a, b = (torch.from_numpy(v).float().reshape(*x.shape[:2], *([1] * len(axes)))
                for v in np.percentile(flat, (0.5, 99.5), axis=-1))
        none = b - a <= 1e-6 * a.abs().clamp(min=1.0)
        out = torch.where(none, torch.full_like(x, 0.5), ((x - a) / (b - a).clamp(min=1e-30)).clamp(0, 1))
        return (out - 0.5) * 4
    return x


def _by_foreground(x: Any, axes: tuple[int, ...]) -> Any:
    """As `ops.harmonise.foreground`; which pixels are foreground counts as given."""
    import torch

    there = (x > x.mean(dim=axes, keepdim=True)).to(x.dtype)
    there = torch.where(there.sum(dim=axes, keepdim=True) > 0, there, torch.ones_like(there))
    count = there.sum(dim=axes, keepdim=True)
    mean = (x * there).sum(dim=axes, keepdim=True) / count
    sd = (((x - mean).square() * there).sum(dim=axes, keepdim=True) / count).clamp(min=1e-30).sqrt()
    flat = sd <= 1e-6 * mean.abs().clamp(min=1.0)
    return torch.where(flat, torch.zeros_like(x), (x - mean) / sd)


def _by_landmarks(x: Any, scale: Sequence[float]) -> Any:
    """As `ops.harmonise.matched`; the image's own landmarks count as given."""
    import torch

    values = x.detach().cpu().numpy()
    pairs = [harmonise.sloped(one, scale) for one in values]
    out, slope = (torch.from_numpy(np.stack(part)).to(x.device) for part in zip(*pairs, strict=True))
    return out + slope * (x - x.detach())
