"""Morphology: a chain of grey operations, a threshold, and binary operations, sized by the structure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from isocenter.data import After, Before, Case, Cases, NotEvaluated, Segmentation, Watch, knob, silent
from isocenter.errors import RecipeError, nearest
from isocenter.infer.holding import held
from isocenter.ops import morphology as ops
from isocenter.ops.array import Array
from isocenter.ops.components import filled, largest, without_small
from isocenter.ops.thresholds import multi_otsu
from isocenter.tasks._settled import Settled
from isocenter.tasks.segment._choose import best, examples, region
from isocenter.tasks.segment._grey import grey, refuse_unused
from isocenter.tasks.segment._settled import shared, tried

BACKGROUNDS = ("hat", "enclosed", "none")
# In radii of the structure. The hat is wider than what it must find; gaps and specks are much smaller.
HAT, GAP, HOLE, SPECK = 1.25, 0.1, 0.5, 0.25
# Radius where nobody says and nothing was learnt, in diagonals of the image.
GUESS = 0.02
DEFAULT = ("hat", "otsu")

Radii = Sequence[float]
# Grey operations see the structure bright: (heights, radii in pixels per axis).
GREY: dict[str, tuple[float, Callable[[Array, Radii], Array]]] = {
    "erode": (GAP, ops.erode),
    "dilate": (GAP, ops.dilate),
    "open": (GAP, ops.opened),
    "close": (GAP, lambda a, r: ops.erode(ops.dilate(a, r), r)),
    "reconstruct": (GAP, lambda a, r: ops.reconstruct(ops.erode(a, r), a)),
    "hat": (HAT, ops.hat),
    "enclosed": (0.0, lambda a, r: ops.enclosed(a)),
}
# Binary ones: (mask, radius in the unit of the spacing, spacing).
BINARY: dict[str, tuple[float, Callable[[Array, float, Radii], Array]]] = {
    "erode": (GAP, ops.erode_mask),
    "dilate": (GAP, ops.dilate_mask),
    "open": (GAP, ops.open_mask),
    "close": (GAP, ops.close_mask),
    "reconstruct": (GAP, lambda m, r, s: ops.reconstruct_mask(ops.erode_mask(m, r, s), m)),
    "fill": (0.0, lambda m, r, s: filled(m)),
}
THRESHOLDS = ("otsu", "low", "grow")


@dataclass(frozen=True)
class Morphology(Settled):
    """Structures that stand out from their surroundings, cleaned by their size. Needs no training.

    Smoothing; grey operations; a threshold; binary operations. Where `steps` ends with its threshold, specks are opened
    away by reconstruction, gaps closed and small holes filled, by `radius`.
    `fit` returns the same method with channel, `bright`, `radius`, `steps` and `after.largest` learnt from train.

    Sources: Serra, Image Analysis and Mathematical Morphology, 1982; Vincent, IEEE Trans. Image Process. 2 (1993) 176.

    Raises
    ------
    RecipeError
        A field of `before` or `after` that it cannot honour, a step that is not known, or not exactly one threshold.
    """

    before: Before = knob(Before, "channel, denoise (default gaussian of SD 1 pixel) and window")
    after: After = knob(After, "largest (None: learnt from train); smallest and fill (default: by `radius`)")
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
    steps: tuple[str, ...] | None = knob(
        None,
        "in order, NAME or NAME:SIZE in radii. Grey: hat (top-hat; 1.25), enclosed (all that the image's edge reaches "
        "removed), erode, dilate, open, close, reconstruct (opening by reconstruction; 0.1). One of otsu, low (the "
        "lower of two), grow (Otsu's from the upper of two by reconstruction). Binary: erode, dilate, open, close, "
        "reconstruct (0.1), fill. None: learnt from train, else hat, otsu",
        source="Serra 1982; Vincent 1993; Otsu 1979",
    )
    name: str = knob("foreground", "name of the region in the answer; learnt from train where it has one class")

    def __post_init__(self) -> None:
        refuse_unused(self.before, self.after, where="morphology")
        _parted(self.steps or DEFAULT)

    def predict(self, case: Case) -> Segmentation | NotEvaluated:
        """The region on the case's own grid; NotEvaluated where nothing differs from the background."""
        values = grey(case, self.before, denoise="gaussian")
        if isinstance(values, NotEvaluated):
            return values
        geometry = case.image().geometry
        spacing = geometry.spacing or (1.0,) * geometry.ndim
        radius = self.radius or max(GUESS * geometry.diagonal, min(spacing))
        first, threshold, last = _parted(self.steps or DEFAULT)
        mask = _above(self._height(values, first, radius, spacing), threshold)
        if mask is None:
            return NotEvaluated("nothing differs from the background")
        for name, factor in last:
            mask = BINARY[name][1](mask, factor * radius, spacing)
        mask = self._cleaned(mask, radius, spacing, open_and_close=not last)
        return Segmentation(mask.astype(np.uint8), ("background", self.name), geometry)

    def _height(self, values: Array, steps: list[tuple[str, float]], radius: float, spacing: Radii) -> Array:
        def height(*, bright: bool) -> Array:
            out = values if bright else -values
            for name, factor in steps:
                out = GREY[name][1](out, [factor * radius / s for s in spacing])
            return out

        if self.bright is not None:
            return height(bright=self.bright)
        both = [height(bright=b) for b in (True, False)]
        spread = [float(np.quantile(h[:: max(1, len(h) // 512)], 0.99) - np.median(h)) for h in both]
        return both[int(np.argmax(spread))]

    def _cleaned(self, mask: Array, radius: float, spacing: tuple[float, ...], *, open_and_close: bool) -> Array:
        unit = float(np.prod(spacing))
        gap = GAP * radius
        if open_and_close and gap >= min(spacing):
            mask = ops.reconstruct_mask(ops.erode_mask(mask, gap, spacing), mask)
            mask = ops.close_mask(mask, gap, spacing)
        if self.after.fill is None and open_and_close:
            mask = ops.fill_small(mask, _ball(HOLE * radius, mask.ndim) / unit)
        elif self.after.fill:
            mask = filled(mask)
        speck = _ball(SPECK * radius, mask.ndim) / unit if open_and_close else 0.0
        smallest = speck if self.after.smallest is None else self.after.smallest
        mask = without_small(mask, smallest) if smallest > 1 else mask
        return largest(mask) if self.after.largest else mask

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> Morphology:
        """The same method with the fields that stand open learnt from 4 to 24 cases of train.

        Raises
        ------
        LabelError
            Train holds no labelled pixel.
        """
        train = held(train)
        radius = self.radius if self.radius is not None else _radius(train)
        made = replace(self, name=region(train), radius=radius)
        sides = {"before.channel": shared(train), "bright": (True, False)}
        made = tried(made, train, sides, watch=watch, share=(0.0, 0.4))
        if self.steps is None:
            chains = [(b, t) if b != "none" else (t,) for b in BACKGROUNDS for t in THRESHOLDS]
            both = (True, False) if self.bright is None else (self.bright,)
            # Without a background to remove, the other side may be the right one.
            candidates = [
                replace(made, steps=c, bright=b) for c in chains for b in (both if len(c) == 1 else (made.bright,))
            ]
            made = best(candidates, train, watch=watch, share=(0.4, 0.9))
        return tried(made, train, {"after.largest": (None, True)}, watch=watch, share=(0.9, 1.0))


Step = tuple[str, float]


def _parted(steps: Sequence[str]) -> tuple[list[Step], str, list[Step]]:
    """Grey steps, the threshold and binary steps, each with its size in radii."""
    where = [i for i, s in enumerate(steps) if s in THRESHOLDS]
    if len(where) != 1:
        wanted = f"exactly one of {', '.join(THRESHOLDS)}"
        raise RecipeError("steps need one threshold", where="morphology", got=",".join(steps), wanted=wanted)
    before, after = steps[: where[0]], steps[where[0] + 1 :]
    return (
        [_sized(s, {name: size for name, (size, _) in GREY.items()}) for s in before],
        steps[where[0]],
        [_sized(s, {name: size for name, (size, _) in BINARY.items()}) for s in after],
    )


def _sized(step: str, sizes: dict[str, float]) -> Step:
    name, _, size = step.partition(":")
    if name not in sizes:
        raise RecipeError("no such step there", where="morphology", got=step, remedy=nearest(name, sizes))
    try:
        factor = float(size) if size else sizes[name]
    except ValueError:
        factor = -1.0
    if not 0 <= factor <= 1e4:
        raise RecipeError("a step has no such size", where="morphology", got=step, wanted="NAME:SIZE in radii")
    return name, factor


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
