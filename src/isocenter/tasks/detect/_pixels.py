"""The channels of an image, for methods that measure size and colour."""

from __future__ import annotations

import numpy as np

from isocenter.data import Case, Image, NotEvaluated
from isocenter.errors import NotFoundError, nearest
from isocenter.infer import unusable
from isocenter.ops.array import Array
from isocenter.ops.thresholds import otsu

MEAN = "mean"


def pixels(case: Case) -> Array | NotEvaluated:
    """float32 (c, *grid): the channels of the leading image without alpha, each with mean 0 and SD 1.

    NotEvaluated where a pixel is not finite. A constant channel is 0.
    """
    image = case.image()
    array = image.channels_first()
    lack = unusable(array)
    if lack is not None:
        return lack
    kept = np.asarray(array[_opaque(image)], np.float64)
    axes = tuple(range(1, kept.ndim))
    sd = kept.std(axes, keepdims=True)
    centred = kept - kept.mean(axes, keepdims=True)
    return np.asarray(np.where(sd > 0, centred / np.where(sd > 0, sd, 1.0), 0.0), np.float32)


def channels(image: Image) -> tuple[str, ...]:
    """What a method of one channel may look at: "mean", and each channel where there are several (alpha left out)."""
    names = _names(image)
    return (MEAN, *names) if len(names) > 1 else (MEAN,)


def channel(array: Array, image: Image, name: str) -> Array:
    """float32 (*grid) of what `pixels` gave; NotFoundError where the image has no such channel."""
    names = _names(image)
    if name == MEAN:
        return np.asarray(array.mean(0))
    if name not in names:
        raise NotFoundError(f"no channel {name!r}", where=image.name, remedy=nearest(name, [MEAN, *names]))
    return np.asarray(array[names.index(name)])


def foreground(values: Array, *, bright: bool) -> Array:
    """bool (*grid): the brighter or the darker side of Otsu's threshold; nothing where all values are equal."""
    cut = otsu(values)
    if cut is None:
        return np.zeros(values.shape, bool)
    return np.asarray(values >= np.float32(cut) if bright else values < np.float32(cut))


def _opaque(image: Image) -> list[int]:
    n = image.length("c")
    names = image.channels or ("",) * n
    return [i for i, c in enumerate(names) if c != "alpha"] or list(range(n))


def _names(image: Image) -> list[str]:
    names = image.channels or tuple(map(str, range(image.length("c"))))
    return [names[i] for i in _opaque(image)]
