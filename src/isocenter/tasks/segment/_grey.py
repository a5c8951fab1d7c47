"""One channel of an image as numbers, for methods that work on grey values."""

from __future__ import annotations

import numpy as np

from isocenter.data import After, Before, Case, Image, NotEvaluated
from isocenter.errors import NotFoundError, RecipeError, nearest
from isocenter.ops.array import Array
from isocenter.ops.denoise import METHODS
from isocenter.ops.stain import DERIVED, derived

RGB = ("red", "green", "blue")
# Hue runs in a circle, and value and lightness say what the mean says.
ORDERED = ("hsv-saturation", "lab-a", "lab-b", "he-hematoxylin", "he-eosin", "hdab-dab")

def grey(case: Case, before: Before, *, denoise: str = "none") -> Array | NotEvaluated:
    """The grey values of a case on its own grid.

    Parameters
    ----------
    case
        Its leading image is used.
    before
        `channel`: a name, a number from 0, "mean" (the default; alpha does not count), or of a colour picture one of
        `isocenter.ops.stain.DERIVED`; `denoise`: one of `isocenter.ops.denoise.METHODS`; `window`: values are clipped
        to it.
    denoise
        What happens where `before` leaves it open.

    Returns
    -------
    float32 (*grid), finite; values that are not numbers become the least one. NotEvaluated where no value is finite.

    Raises
    ------
    NotFoundError
        The image has no such channel.
    """
    image = case.image()
    values = _channel(image, before.channel or "mean")
    finite = np.isfinite(values)
    if not finite.any():
        return NotEvaluated("no pixel holds a finite value")
    if not finite.all():
        values = np.where(finite, values, values[finite].min())
    if before.window is not None:
        values = np.clip(values, *before.window)
    return METHODS[before.denoise or denoise](values)


def channels(image: Image) -> tuple[str, ...]:
    """What `Before.channel` may choose from: "mean", and each channel where there are several (alpha left out)."""
    n = image.length("c")
    names = image.channels or tuple(str(i) for i in range(n))
    return ("mean", *(c for c in names if c != "alpha")) if n > 1 else ("mean",)


def colours(image: Image) -> tuple[str, ...]:
    """As `channels`, and of a colour picture those derived channels that order pixels by one quantity of colour."""
    return (*channels(image), *ORDERED) if set(RGB) <= set(image.channels) else channels(image)


def _channel(image: Image, name: str) -> Array:
    array = image.channels_first()
    known = list(image.channels or map(str, range(len(array))))
    if name == "mean":
        kept = [i for i, c in enumerate(known) if c != "alpha"] or [0]
        return np.asarray(array[kept].mean(axis=0, dtype=np.float32)) if len(kept) > 1 else array[kept[0]].astype("f4")
    coloured = set(RGB) <= set(known)
    if name in DERIVED and name not in known and coloured:
        three = array[[known.index(c) for c in RGB]]
        return np.where(np.isfinite(three).all(axis=0), derived(three, name), np.float32(np.nan))
    if name not in known:
        there = ["mean", *known, *(DERIVED if coloured else ())]
        raise NotFoundError(f"no channel {name!r}", where=image.name, remedy=nearest(name, there))
    return np.asarray(array[known.index(name)], np.float32)


def refuse_unused(before: Before, after: After, *, where: str) -> None:
    """RecipeError for settings that a method of grey values would have to ignore."""
    for name in ("spacing", "coarser", "site"):
        asked = getattr(before, name)
        if asked is not None:
            raise RecipeError("works on the image's own grid", where=where, got=f"before.{name}={asked}")
    if before.intensity not in (None, "none", "window") or (before.intensity == "window" and before.window is None):
        raise RecipeError(
            "takes values as they are or clipped to a window",
            where=where,
            got=f"before.intensity={before.intensity!r}",
            remedy="Set before.window or leave before.intensity out",
        )
    for field in ("mirror", "overlap"):
        if getattr(after, field) is not None:
            raise RecipeError(f"answers the whole image at once: after.{field} has no meaning", where=where)
