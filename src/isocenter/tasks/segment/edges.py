"""Edges: size and direction of the gradient, Canny's lines, gaps closed, what they enclose filled."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from isocenter.data import After, Before, Case, Cases, NotEvaluated, Segmentation, Watch, knob, silent
from isocenter.infer.holding import held
from isocenter.ops.array import Array
from isocenter.ops.components import filled, parts
from isocenter.ops.gradient import canny, gradient, size
from isocenter.ops.morphology import dilate_mask, erode_mask, open_mask
from isocenter.tasks._settled import Settled
from isocenter.tasks.segment._choose import region
from isocenter.tasks.segment._grey import grey, refuse_unused
from isocenter.tasks.segment._settled import answered, finest, shared, spaced, tried

CANNY = "Canny, IEEE TPAMI 8 (1986) 679"
# Scale in pixels, share of gradients that are weaker than a strong edge, and closed gap in pixels: where nobody says
# and nothing was learnt, and what `fit` tries.
SCALE, STRONG, GAP = 2.0, 0.9, 2.0
SCALES, STRONGS, GAPS = (1.0, 2.0, 4.0, 8.0), (0.8, 0.9, 0.95), (1.0, 2.0, 4.0, 8.0)
# The lower of Canny's two thresholds, as a share of the upper one: 2 or 3 to 1 in the paper.
LOWER = 0.4
# The surroundings that a region is compared with, in pixels.
RING = 3


@dataclass(frozen=True)
class Edges(Settled):
    """Regions that edges enclose. Needs no training.

    The gradient of a Gaussian; its crests between two thresholds; gaps closed; holes filled; loose lines opened away;
    regions on the wrong side of their surroundings removed. What no edge encloses is background.
    `fit` returns the same method with the fields that stand open learnt from train.

    Source: Canny, A computational approach to edge detection, IEEE TPAMI 8 (1986) 679.

    Raises
    ------
    RecipeError
        A field of `before` or `after` that it cannot honour.
    """

    before: Before = knob(Before, "channel, denoise and window; the grid is the image's own")
    after: After = knob(After, "largest (None: learnt from train), smallest and fill")
    bright: bool | None = knob(
        None, "whether regions are brighter than their surroundings; None: learnt from train, else either"
    )
    scale: float | None = knob(
        None,
        "SD of the Gaussian whose derivative is taken; None: learnt from train, else 2 pixels",
        unit="mm or px",
        low=0.0,
        high=1e4,
        source=CANNY,
    )
    strong: float | None = knob(
        None,
        "share of the gradients that are weaker than a strong edge; weak ones begin at 0.4 of it; None: learnt from "
        "train, else 0.9",
        low=0.0,
        high=1.0,
        source=CANNY,
    )
    gap: float | None = knob(
        None,
        "half the width of the gaps between edges that are closed; None: learnt from train, else 2 pixels",
        unit="mm or px",
        low=0.0,
        high=1e4,
    )
    name: str = knob("foreground", "name of the region in the answer; learnt from train where it has one class")

    def __post_init__(self) -> None:
        refuse_unused(self.before, self.after, where="edges")

    def predict(self, case: Case) -> Segmentation | NotEvaluated:
        """The regions on the case's own grid; NotEvaluated where the image has no gradient."""
        values = grey(case, self.before)
        if isinstance(values, NotEvaluated):
            return values
        geometry = case.image().geometry
        spacing = spaced(geometry)
        step = min(spacing)
        slopes = gradient(values, SCALE * step if self.scale is None else self.scale, spacing)
        length = size(slopes)
        if not length.any():
            return NotEvaluated("the image has no gradient")
        high = float(np.quantile(length[length > 0], STRONG if self.strong is None else self.strong))
        lines = canny(slopes, spacing, low=LOWER * high, high=high)
        gap = GAP * step if self.gap is None else self.gap
        mask = erode_mask(filled(dilate_mask(lines, gap, spacing)), gap, spacing)
        mask = open_mask(mask, step, spacing)
        if self.bright is not None:
            mask = _on_side(mask, values, bright=self.bright)
        return answered(mask, self.after, self.name, geometry)

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> Edges:
        """The same method with channel and the fields that stand open learnt from 4 to 24 cases of train.

        Raises
        ------
        LabelError
            Train holds no labelled pixel.
        """
        train = held(train)
        step = finest(train)
        made = replace(self, name=region(train))
        sides = {"before.channel": shared(train), "bright": (True, False)}
        made = tried(made, train, sides, watch=watch, share=(0.0, 0.3))
        scales = {"scale": [step * s for s in SCALES], "strong": STRONGS}
        made = tried(made, train, scales, watch=watch, share=(0.3, 0.7))
        ends = {"gap": [step * g for g in GAPS], "after.largest": (None, True)}
        return tried(made, train, ends, watch=watch, share=(0.7, 1.0))


def _on_side(mask: Array, values: Array, *, bright: bool) -> Array:
    """The connected parts that are, in the mean, brighter (darker) than the ring around them."""
    from scipy import ndimage

    numbered, sizes = parts(mask)
    if len(sizes) < 2:
        return mask
    ring = ndimage.maximum_filter(numbered, 2 * RING + 1, mode="constant")
    ring[mask] = 0
    inside, outside = (_means(where, values, len(sizes)) for where in (numbered, ring))
    # A part that fills the image has no surroundings; it stays out.
    keep = inside > outside if bright else inside < outside
    keep[0] = False
    return np.asarray(keep[numbered])


def _means(numbered: Array, values: Array, n: int) -> Array:
    """Mean value of each number; not a number where there is none."""
    counts = np.bincount(numbered.ravel(), minlength=n)
    sums = np.bincount(numbered.ravel(), weights=values.ravel(), minlength=n)
    return np.asarray(np.where(counts > 0, sums / np.maximum(counts, 1), np.nan))
