"""Morphology: background correction, threshold, opening, closing, reconstruction, holes filled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from isocenter.data import (
    After,
    Before,
    Case,
    Cases,
    NotEvaluated,
    Segmentation,
    Watch,
    as_settings,
    build,
    knob,
    silent,
)
from isocenter.ops import morphology as ops
from isocenter.ops.array import Array
from isocenter.ops.components import filled, largest, without_small
from isocenter.ops.thresholds import multi_otsu
from isocenter.tasks.segment._choose import best, examples, region
from isocenter.tasks.segment._grey import channels, grey, refuse_unused

BACKGROUNDS = ("hat", "enclosed", "none")
THRESHOLDS = ("otsu", "low", "grow")
# In radii of the structure. The hat is wider than what it must find; gaps and specks are much smaller.
HAT, GAP, HOLE, SPECK = 1.25, 0.1, 0.5, 0.25
# Radius where nobody says and nothing was learnt, in diagonals of the image.
GUESS = 0.02


@dataclass(frozen=True)
class Morphology:
    """Structures that stand out from their surroundings, cleaned by their size. Needs no training.

    Smoothing; background removed; threshold; specks opened away by reconstruction, gaps closed, small holes filled.
    `fit` returns the same method with channel, `bright`, `radius`, `background` and `threshold` learnt from train.

    Sources: Serra, Image Analysis and Mathematical Morphology, 1982; Vincent, IEEE Trans. Image Process. 2 (1993) 176.

    Raises
    ------
    RecipeError
        A field of `before` or `after` that it cannot honour.
    """

    before: Before = knob(Before, "channel, denoise (default gaussian of SD 1 pixel) and window")
    after: After = knob(After, "largest; smallest and fill (default: by `radius`)")
    bright: bool | None = knob(
        None, "whether it is brighter than its surroundings; None: learnt from train, else what stands out more"
    )
    radius: float | None = knob(
        None,
        "of the largest ball inside the structure; None: the median over train, else 0.02 of the image's diagonal",
        unit="mm or px",
        low=0.0,
        high=1e4,
    )
    background: str | None = knob(
        None,
        "what is removed first: `hat` an opening by a ball of 1.25 radii, `enclosed` all that the image's edge "
        "reaches, `none` nothing; None: learnt, else hat",
        choices=BACKGROUNDS,
        source="Serra 1982; Vincent 1993",
    )
    threshold: str | None = knob(
        None,
        "`otsu`, `low` the lower of two, `grow` Otsu's grown from the upper of two by reconstruction; None: "
        "learnt, else otsu",
        choices=THRESHOLDS,
        source="Otsu 1979; Vincent 1993",
    )
    name: str = knob("foreground", "name of the region in the answer; learnt from train where it has one class")

    def __post_init__(self) -> None:
        refuse_unused(self.before, self.after, where="morphology")

    def predict(self, case: Case) -> Segmentation | NotEvaluated:
        """The region on the case's own grid; NotEvaluated where nothing differs from the background."""
        values = grey(case, self.before, denoise="gaussian")
        if isinstance(values, NotEvaluated):
            return values
        geometry = case.image().geometry
        spacing = geometry.spacing or (1.0,) * geometry.ndim
        radius = self.radius or max(GUESS * geometry.diagonal, min(spacing))
        mask = _above(self._height(values, radius, spacing), self.threshold or "otsu")
        if mask is None:
            return NotEvaluated("nothing differs from the background")
        return Segmentation(self._cleaned(mask, radius, spacing).astype(np.uint8), ("background", self.name), geometry)

    def _height(self, values: Array, radius: float, spacing: tuple[float, ...]) -> Array:
        if self.bright is not None:
            return _height(values, self.background or "hat", radius, spacing, bright=self.bright)
        both = [_height(values, self.background or "hat", radius, spacing, bright=b) for b in (True, False)]
        spread = [float(np.quantile(h[:: max(1, len(h) // 512)], 0.99) - np.median(h)) for h in both]
        return both[int(np.argmax(spread))]

    def _cleaned(self, mask: Array, radius: float, spacing: tuple[float, ...]) -> Array:
        unit = float(np.prod(spacing))
        gap = GAP * radius
        if gap >= min(spacing):
            mask = ops.reconstruct_mask(ops.erode_mask(mask, gap, spacing), mask)
            mask = ops.close_mask(mask, gap, spacing)
        if self.after.fill is None:
            mask = ops.fill_small(mask, _ball(HOLE * radius, mask.ndim) / unit)
        elif self.after.fill:
            mask = filled(mask)
        smallest = _ball(SPECK * radius, mask.ndim) / unit if self.after.smallest is None else self.after.smallest
        mask = without_small(mask, smallest) if smallest > 1 else mask
        return largest(mask) if self.after.largest else mask

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> Morphology:
        """The same method with the fields that stand open learnt from 4 to 24 cases of train.

        Raises
        ------
        LabelError
            Train holds no labelled pixel.
        """
        radius = self.radius if self.radius is not None else _radius(train)
        sized = replace(self, name=region(train), radius=radius)
        names = (self.before.channel,) if self.before.channel else channels(train[0].image())
        sides = (True, False) if self.bright is None else (self.bright,)
        chosen = best(
            [replace(sized, bright=b, before=replace(self.before, channel=c)) for c in names for b in sides],
            train,
            watch=watch,
            share=(0.0, 0.5),
        )
        backgrounds = BACKGROUNDS if self.background is None else (self.background,)
        thresholds = THRESHOLDS if self.threshold is None else (self.threshold,)
        return best(
            [
                replace(chosen, background=b, threshold=t, bright=s)
                for b in backgrounds
                for t in thresholds
                for s in (sides if b == "none" else (chosen.bright,))
            ],
            train,
            watch=watch,
            share=(0.5, 1.0),
        )

    @property
    def about(self) -> Mapping[str, Any]:
        """The recipe: it is all there is."""
        return {"recipe": as_settings(self)}

    def state(self) -> dict[str, Array]:
        """No arrays."""
        return {}

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> Morphology:
        """The method that `about` described."""
        made: Morphology = build(cls, about["recipe"])
        return made


def _height(values: Array, background: str, radius: float, spacing: tuple[float, ...], *, bright: bool) -> Array:
    if background == "hat":
        return ops.hat(values, [HAT * radius / s for s in spacing], bright=bright)
    if background == "enclosed":
        return ops.enclosed(values, bright=bright)
    return values if bright else -values


def _above(height: Array, threshold: str) -> Array | None:
    """The mask of a height map; None where it is flat."""
    middle = multi_otsu(height, 2)
    if not middle:
        return None
    two = multi_otsu(height, 3) if threshold != "otsu" else ()
    if not two:
        return np.asarray(height >= np.float32(middle[0]))
    if threshold == "low":
        return np.asarray(height >= np.float32(two[0]))
    return ops.reconstruct_mask(height >= np.float32(max(two[1], middle[0])), height >= np.float32(middle[0]))


def _ball(radius: float, ndim: int) -> float:
    return float(np.pi * radius**2 if ndim == 2 else 4 / 3 * np.pi * radius**3)


def _radius(train: Cases) -> float:
    radii = [
        ops.inner_radius(mask, case.image().geometry.spacing or (1.0,) * mask.ndim) for case, mask, _ in examples(train)
    ]
    return float(np.median(radii))
