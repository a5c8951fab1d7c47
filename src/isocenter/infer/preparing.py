"""From an image to what the network sees, and back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isocenter.data import Image, NotEvaluated, Plan
from isocenter.data.cut import take
from isocenter.errors import BundleError, GeometryError, InputError
from isocenter.infer.memory import require
from isocenter.ops import harmonise, normalise
from isocenter.ops.array import Array
from isocenter.ops.resample import resize

ALPHA = ("a", "alpha")
# Channels in float32 that a map of the values takes beside what it makes.
MAPPED = {"foreground": 4, "landmarks": 8, "clahe": 12}


@dataclass(frozen=True, eq=False)
class Prepared:
    """What the network sees, before padding.

    Parameters
    ----------
    array
        float32 (plan.channels, *working grid).
    own
        Grid of the image.
    """

    array: Array
    own: tuple[int, ...]

    @property
    def working(self) -> tuple[int, ...]:
        """Grid of `array`."""
        return tuple(self.array.shape[1:])


@dataclass(frozen=True)
class Weight:
    """Bytes of what a network is shown, before anything is read.

    Parameters
    ----------
    raw
        Pixels of the whole image as they are read.
    making
        Peak while one piece is prepared: the image, or a slice for a network of two axes.
    made
        The piece as the network sees it, before padding.
    grid
        Of that.
    """

    raw: int
    making: int
    made: int
    grid: tuple[int, ...]


def weight(image: Image, plan: Plan) -> Weight:
    """What `prepare` takes; GeometryError as `working_shape`."""
    raw = math.prod(image.geometry.shape) * image.length("c") * np.dtype(image.dtype).itemsize
    one = piece(image, plan)
    grid = working_shape(one, plan)
    each = 4 * math.prod(grid)
    # What mean and spread are computed with: a channel in float64, or two copies of all.
    spread = {"standardise": 2, "percentile": 2 * plan.channels, **MAPPED}.get(plan.normalisation.kind, 0)
    resized = plan.channels if grid != one.geometry.shape else 0
    return Weight(raw, (plan.channels + spread + resized) * each, plan.channels * each, grid)


def piece(image: Image, plan: Plan) -> Image:
    """What a network sees at once: the image, or of a volume the first slice where the network has two axes.

    Raises
    ------
    InputError
        A film, or the network needs a volume.
    """
    image.still()
    if image.ndim < plan.rank:
        raise InputError("the network needs a volume", where=image.name, got="2D", wanted="3D")
    return image if image.ndim == plan.rank else take(image, "z", 0)


def prepare(image: Image, plan: Plan) -> Prepared:
    """Channels, grid and values as the plan says, in this order.

    Parameters
    ----------
    image
        Of plan.rank spatial axes; pixels are read here.
    plan
        As in `Plan`. The grid is resampled linearly (averaging where it shrinks) over the image's own box.

    Raises
    ------
    InputError
        The number of axes or channels does not fit, pixels are not finite numbers, or plan.spacing meets an image whose
        spacing is unknown (GeometryError).
    ResourceError
        The working grid does not fit into memory.
    """
    array = image.channels_first()
    lack = unusable(array)
    if lack is not None:
        raise InputError(lack.reason, where=image.name, got=lack.measured, wanted=lack.limit)
    return prepared(array, image, plan)


def unusable(array: Array) -> NotEvaluated | None:
    """Why no network answers these pixels: NaN or infinite ones among them; None when all are finite."""
    if array.dtype.kind not in "fc":
        return None
    bad = array.size - int(np.isfinite(array).sum())
    if not bad:
        return None
    return NotEvaluated("the image holds NaN or infinite pixels", f"{bad} of {array.size}", "finite numbers")


def prepared(array: Array, image: Image, plan: Plan) -> Prepared:
    """As `prepare`, of finite pixels (c, *grid) that were read before."""
    if image.ndim != plan.rank:
        raise InputError(
            f"the method answers about images of {plan.rank} axes",
            where=image.name,
            got=f"{image.ndim}D",
            wanted=f"{plan.rank}D",
            remedy="Give single slices (in Python: cut('slice'))" if image.ndim == 3 else "Give the volume",
        )
    if array.dtype.kind not in "biuf":
        raise InputError("pixels are not real numbers", where=image.name, got=str(array.dtype))
    shape = working_shape(image, plan)
    require(4 * plan.channels * math.prod(shape), what=f"a grid of {shape}", remedy="Check the image's spacing")
    chosen = _chosen(array, image, plan.channels)
    out = _normalised(resize(chosen, shape), plan, str(array.dtype))
    if len(out) == 1 and plan.channels == 3:
        out = np.repeat(out, 3, axis=0)
    return Prepared(np.ascontiguousarray(out), tuple(array.shape[1:]))


def working_shape(image: Image, plan: Plan) -> tuple[int, ...]:
    """Grid that the network works on for this image; GeometryError when plan.spacing meets an unknown spacing."""
    if plan.size is not None:
        return plan.size
    own = image.geometry.shape
    if plan.spacing is None:
        return own
    spacing = image.geometry.spacing
    if spacing is None:
        raise GeometryError(
            "the spacing of the image is unknown",
            where=image.name,
            wanted=f"mm per pixel (the network works at {plan.spacing} mm)",
            remedy="State it: spacing=(...) in Python, --spacing on the command line",
        )
    return tuple(max(1, round(n * have / want)) for n, have, want in zip(own, spacing, plan.spacing, strict=True))


def back(array: Array, own: Sequence[int]) -> Array:
    """float32 (c, *own): an array (c, *working grid) on the image's own grid, linearly."""
    return resize(np.asarray(array, np.float32), own)


def _chosen(array: Array, image: Image, wanted: int) -> Array:
    """The channels that the network sees; one that stands for three stays one until the end."""
    names = [name.lower() for name in image.channels] or [""] * len(array)
    opaque = [i for i, name in enumerate(names) if name not in ALPHA]
    if len(opaque) < len(array):
        array = array[opaque]
    if len(array) == wanted or (len(array) == 1 and wanted == 3):
        return array
    if len(array) == 3 and wanted == 1 and np.array_equal(array[0], array[1]) and np.array_equal(array[0], array[2]):
        return array[:1]
    raise InputError(
        "the channels do not fit",
        where=image.name,
        got=f"{len(array)} ({', '.join(image.channels) or 'unnamed'})",
        wanted=str(wanted),
        remedy="Save what the method was trained on as a file of its own: one channel, or the picture as grey",
    )


def _normalised(array: Array, plan: Plan, dtype: str) -> Array:
    how = plan.normalisation
    if how.kind == "standardise":
        return normalise.standardise(array)
    if how.kind == "percentile":
        return normalise.percentile(array)
    if how.kind == "rescale":
        return normalise.rescale(array, dtype)
    if how.kind == "none":
        return np.asarray(array, np.float32)
    if how.kind == "foreground":
        return harmonise.foreground(array)
    if how.kind == "landmarks" and len(array) in (1, len(how.landmarks) // len(harmonise.PERCENTILES)):
        return harmonise.matched(array, how.landmarks)
    if how.kind == "clahe" and array.ndim == 3:
        return harmonise.clahe(array)
    if how.kind == "window" and how.low is not None and how.high is not None and how.low < how.high:
        return normalise.window(array, how.low, how.high, mean=how.mean, sd=how.sd)
    raise BundleError("the plan's normalisation cannot be used", got=str(how))
