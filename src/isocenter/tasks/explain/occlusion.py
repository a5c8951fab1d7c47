"""Occlusion: what the answer loses where a patch of the image is covered; takes any predictor, images and volumes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from isocenter.data import Attribution, Case, NotEvaluated, knob
from isocenter.errors import RecipeError
from isocenter.infer.preparing import unusable
from isocenter.metrics.asked import Asked, asked, with_pixels
from isocenter.metrics.faithfulness import emptied
from isocenter.ops.array import Array
from isocenter.tasks.explain._redrawn import Redrawn

FILLS = ("mean", "blur", "black")
# A patch is this part of each axis where nobody says: some 200 answers for an image, some 350 for a volume.
PARTS = {2: 8, 3: 4}


@dataclass(frozen=True)
class Occlusion:
    """Which pixels the answer misses when they are covered.

    A patch moves over the image; each pixel gets the mean loss of the answer over the patches that covered it. The
    answer is the class's probability; of a segmentation its mean over the region that was found (the share of the
    region that is still found, where the method gives no probabilities). A covered image is one that the method never
    met, so small losses say little.

    Source: Zeiler, Fergus, Visualizing and understanding convolutional networks, ECCV 2014.

    Raises
    ------
    RecipeError
        `of` is missing or does not answer.
    """

    of: Any = knob(None, "the method to explain: a bundle, or any other that answers")
    target: str | None = knob(
        None, "class to explain, or `not CLASS`; None: the answer's own (segment: the region with the most pixels)"
    )
    patch: int | tuple[int, ...] | None = knob(
        None,
        "what is covered at once, per axis; None: an eighth of each axis, of volumes a quarter",
        unit="pixels",
        low=1,
    )
    stride: int | tuple[int, ...] | None = knob(
        None, "how far the patch moves, per axis; None: half of it", unit="pixels", low=1
    )
    fill: str = knob(
        "mean",
        "what covers: the channel's mean, the blurred image, or the least value; a grey patch on a black rim is itself "
        "something to see, where the blurred image shows little",
        choices=FILLS,
    )

    def __post_init__(self) -> None:
        if not hasattr(self.of, "predict"):
            raise RecipeError("occlusion explains another method", wanted="of=", remedy="Name a bundle, or TASK/METHOD")

    def predict(self, case: Case) -> Attribution | NotEvaluated:
        """The map on the case's own grid; NotEvaluated where there is no answer to explain.

        Raises
        ------
        NotFoundError
            The answer knows no such class.
        RecipeError
            Patch or stride name another number of axes than the image has.
        InputError
            The answer is no probability and no region.
        """
        image = case.image().still()
        lack = unusable(image.channels_first())
        if lack is not None:
            return lack
        question = asked(self.of, case, self.target)
        if isinstance(question, NotEvaluated):
            return question
        shape = image.geometry.shape
        patch = axes(self.patch, shape, tuple(math.ceil(n / PARTS[image.ndim]) for n in shape))
        stride = axes(self.stride, shape, tuple(max(1, p // 2) for p in patch))
        values = self._losses(question, case, tuple(windows(shape, patch, stride)))
        return Attribution(values.astype(np.float32), image.geometry, question.target, "occlusion")

    def redrawn(self, target: str, *, seed: int = 0) -> Occlusion:
        """The same explanation of the same network with other weights; only where `of` is one network."""
        return replace(self, of=Redrawn(self.of, seed), target=target)

    def _losses(self, question: Asked, case: Case, places: tuple[tuple[slice, ...], ...]) -> Array:
        pixels = case.image().pixels()
        cover = emptied(pixels, case.image().ndim, self.fill)
        whole = question.answer(case)
        total, covered = np.zeros(case.image().geometry.shape), np.zeros(case.image().geometry.shape)
        for place in places:
            changed = np.array(pixels, np.float64)
            at: Any = (..., *place)
            changed[at] = cover[at]
            total[place] += whole - question.answer(with_pixels(case, changed))
            covered[place] += 1
        # A stride beyond the patch leaves pixels that nothing covered: nothing is known of them.
        return total / np.maximum(covered, 1)


def axes(asked_for: int | tuple[int, ...] | None, shape: tuple[int, ...], default: tuple[int, ...]) -> tuple[int, ...]:
    """Pixels per axis, no more than there are; RecipeError for another number of axes.

    >>> axes(20, (4, 50), (1, 1)), axes(None, (4, 50), (2, 25))
    ((4, 20), (2, 25))
    """
    if asked_for is None:
        return default
    each = (asked_for,) * len(shape) if isinstance(asked_for, int) else tuple(asked_for)
    if len(each) != len(shape):
        raise RecipeError("patch and stride have one number an axis", got=str(each), wanted=f"{len(shape)} numbers")
    return tuple(min(e, n) for e, n in zip(each, shape, strict=True))


def windows(shape: tuple[int, ...], patch: tuple[int, ...], stride: tuple[int, ...]) -> Iterator[tuple[slice, ...]]:
    """Places of the patch that together reach the far edge of each axis; the last may be cut by it.

    >>> [(a.start, a.stop) for a, in windows((10,), (4,), (3,))]
    [(0, 4), (3, 7), (6, 10)]
    """
    counts = [1 + math.ceil((n - p) / s) for n, p, s in zip(shape, patch, stride, strict=True)]
    for at in itertools.product(*map(range, counts)):
        yield tuple(slice(i * s, min(n, i * s + p)) for i, n, p, s in zip(at, shape, patch, stride, strict=True))
