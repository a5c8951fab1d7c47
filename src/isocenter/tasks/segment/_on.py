"""What a method works on: intensity, texture, or another method's answer: its deep form is the same code."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol, runtime_checkable

import numpy as np

from isocenter.data import IGNORE, Before, Case, NotEvaluated, Segmentation
from isocenter.errors import RecipeError
from isocenter.ops.array import Array
from isocenter.tasks.segment._grey import channels, grey

INPUTS = ("intensity", "texture")
ON = (
    "what it works on: intensity, texture (local SD, entropy and Gabor energy), or a part (a bundle or another "
    "method): the probability that it gives to each pixel"
)


@runtime_checkable
class Part(Protocol):
    """Another method of this question, fitted where it must be."""

    def predict(self, case: Case) -> Segmentation | NotEvaluated:
        """Its answer on the case's own grid."""
        ...


def refuse_input(on: str | Part, before: Before, *, where: str) -> None:
    """RecipeError for what nothing can be worked on, and for settings that a part's answer would have to ignore."""
    if isinstance(on, str):
        if on not in INPUTS:
            raise RecipeError(
                "on is neither an input nor another method",
                where=where,
                got=repr(on),
                wanted="intensity, texture or a method that answers",
                remedy='Name a part as on={"use": "x.bundle"}',
            )
        return
    if not isinstance(on, Part):
        raise RecipeError(
            "the part that it works on does not answer",
            where=where,
            got=type(on).__name__,
            remedy="Train it first and name its bundle",
        )
    for field in ("channel", "window", "denoise"):
        if getattr(before, field) is not None:
            raise RecipeError(f"before.{field} has no meaning where another method is worked on", where=where)


def deep(on: str | Part) -> bool:
    """Whether it is another method's answer."""
    return not isinstance(on, str)


def seen(case: Case, on: str | Part, before: Before, *, denoise: str = "none") -> Array | NotEvaluated:
    """What a method works on, as one number a pixel.

    Parameters
    ----------
    case
        Its leading image is used.
    on
        ``"intensity"``: grey values; ``"texture"``: the mean of the three maps, 0 smooth to 1 rough; a part: the
        probability of everything but background, 0 to 1 (0 or 1 where the part gives labels alone).
    before, denoise
        As `grey`.

    Returns
    -------
    float32 (*grid), finite; NotEvaluated as `grey` and as the part.
    """
    found = features(case, on, before, denoise=denoise)
    return found if isinstance(found, NotEvaluated) else np.asarray(found.mean(axis=0))


def features(
    case: Case, on: str | Part, before: Before, *, denoise: str = "none", colours: bool = False
) -> Array | NotEvaluated:
    """As `seen`, but float32 (c, *grid): three maps of texture; with `colours` and no channel named, every channel."""
    if not isinstance(on, str):
        found = probability(on, case)
        return found if isinstance(found, NotEvaluated) else found[None]
    names = channels(case.image())
    several = colours and on == "intensity" and before.channel is None and len(names) > 1
    asked = [replace(before, channel=c) for c in names[1:]] if several else [before]
    planes = []
    for one in asked:
        values = grey(case, one, denoise=denoise)
        if isinstance(values, NotEvaluated):
            return values
        planes.append(values)
    if on == "intensity":
        return np.stack(planes)
    from isocenter.ops.local_texture import texture_maps

    return texture_maps(planes[0])


def probability(part: Part, case: Case) -> Array | NotEvaluated:
    """float32 (*grid): that a pixel is not background, by the part's soft scores where it has them, else by its labels.

    A part that gives soft scores only when asked has `scored`, which answers as `predict` with scores.
    """
    found: Segmentation | NotEvaluated = getattr(part, "scored", part.predict)(case)
    if isinstance(found, NotEvaluated):
        return found
    if found.scores is not None:
        return np.asarray(np.clip(1.0 - found.scores[0], 0.0, 1.0), np.float32)
    return np.asarray((found.labels != 0) & (found.labels != IGNORE), np.float32)
