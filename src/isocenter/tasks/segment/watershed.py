"""Watershed: basins of the gradient flooded from markers, and merged into the foreground by their mean value."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from isocenter.data import After, Before, Case, Cases, NotEvaluated, Segmentation, Watch, knob, silent
from isocenter.infer.holding import held
from isocenter.ops.array import Array
from isocenter.ops.components import parts
from isocenter.ops.gradient import gradient, size
from isocenter.ops.morphology import enclosed
from isocenter.ops.thresholds import multi_otsu, otsu
from isocenter.tasks._settled import Settled
from isocenter.tasks.segment._choose import region
from isocenter.tasks.segment._grey import grey, refuse_unused
from isocenter.tasks.segment._settled import answered, bright_inside, finest, shared, spaced, tried

MARKERS, MERGES = ("minima", "distance"), ("otsu", "low", "enclosed")
# Scale of the gradient in pixels where nobody says and nothing was learnt, and what `fit` tries.
SCALE, SCALES = 2.0, (1.0, 2.0, 4.0, 8.0)
# Levels that the gradient is rounded to, up to its 99th percentile, so that shallow minima are one with their basin.
LEVELS, TOP = 32, 0.99
# Share of a part's greatest depth from which on a pixel is its core.
CORE = 0.5


@dataclass(frozen=True)
class Watershed(Settled):
    """Basins of the gradient, flooded from markers; those on the right side of a threshold are the answer.

    Needs no training. `fit` returns the same method with the fields that stand open learnt from train.

    Sources: Vincent & Soille, IEEE TPAMI 13 (1991) 583; Meyer & Beucher, J. Vis. Commun. Image Represent. 1 (1990) 21.

    Raises
    ------
    RecipeError
        A field of `before` or `after` that it cannot honour.
    """

    before: Before = knob(Before, "channel, denoise (default gaussian of SD 1 pixel) and window")
    after: After = knob(After, "largest (None: learnt from train), smallest and fill")
    bright: bool | None = knob(
        None, "whether it is the bright side; None: learnt, else the side that covers less of the image's edge"
    )
    markers: str | None = knob(
        None,
        "`minima` of the gradient, one a basin; `distance` the cores of Otsu's mask and of what is around it; None: "
        "learnt from train, else minima",
        choices=MARKERS,
        source="Meyer & Beucher 1990",
    )
    scale: float | None = knob(
        None,
        "SD of the Gaussian whose derivative is flooded; None: learnt from train, else 2 pixels",
        unit="mm or px",
        low=0.0,
        high=1e4,
    )
    merge: str | None = knob(
        None,
        "basins whose mean lies above: `otsu` Otsu's threshold of the means, `low` the lower of two, `enclosed` Otsu's "
        "after all that the image's edge reaches at its level is removed; None: learnt from train, else otsu",
        choices=MERGES,
    )
    name: str = knob("foreground", "name of the region in the answer; learnt from train where it has one class")

    def __post_init__(self) -> None:
        refuse_unused(self.before, self.after, where="watershed")

    def predict(self, case: Case) -> Segmentation | NotEvaluated:
        """The region on the case's own grid; NotEvaluated where the image is all one basin."""
        values = grey(case, self.before, denoise="gaussian")
        if isinstance(values, NotEvaluated):
            return values
        geometry = case.image().geometry
        spacing = spaced(geometry)
        scale = SCALE * min(spacing) if self.scale is None else self.scale
        length = size(gradient(values, scale, spacing))
        bright = bright_inside(values) if self.bright is None else self.bright
        height = enclosed(values, bright=bright) if self.merge == "enclosed" else values if bright else -values
        seeds = _cores(height, spacing) if self.markers == "distance" else _minima(length)
        if seeds is None:
            return NotEvaluated("nothing differs from the background")
        mask = _merged(_flooded(length, seeds), height, classes=3 if self.merge == "low" else 2)
        if mask is None:
            return NotEvaluated("the image is one basin")
        return answered(mask, self.after, self.name, geometry)

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> Watershed:
        """The same method with channel and the fields that stand open learnt from 4 to 24 cases of train.

        Raises
        ------
        LabelError
            Train holds no labelled pixel.
        """
        train = held(train)
        step = finest(train)
        made = replace(self, name=region(train))
        sides = {"before.channel": shared(train), "bright": (True, False), "merge": MERGES}
        made = tried(made, train, sides, watch=watch, share=(0.0, 0.5))
        ways = {"markers": MARKERS, "scale": [step * s for s in SCALES]}
        made = tried(made, train, ways, watch=watch, share=(0.5, 0.9))
        return tried(made, train, {"after.largest": (None, True)}, watch=watch, share=(0.9, 1.0))


def _levels(length: Array) -> Array:
    """The gradient in whole levels: int16 (*grid)."""
    top = float(np.quantile(length, TOP)) or float(length.max(initial=0.0)) or 1.0
    return np.asarray(np.rint(np.minimum(length * np.float32(LEVELS / top), LEVELS)).astype(np.int16))


def _minima(length: Array) -> Array:
    """Regional minima of the gradient, numbered from 1."""
    from skimage.morphology import local_minima

    return parts(local_minima(_levels(length)))[0]


def _cores(height: Array, spacing: tuple[float, ...]) -> Array | None:
    """The cores of the parts of Otsu's mask, numbered from 2, and the core of its surroundings, 1."""
    from scipy import ndimage

    cut = otsu(height)
    if cut is None:
        return None
    mask = height >= np.float32(cut)
    numbered, sizes = parts(mask)
    depth = ndimage.distance_transform_edt(np.pad(mask, 1), sampling=spacing)[(slice(1, -1),) * mask.ndim]
    deepest = np.zeros(len(sizes))
    np.maximum.at(deepest, numbered.ravel(), depth.ravel())
    outside = ndimage.distance_transform_edt(~mask, sampling=spacing)
    seeds = np.where(mask & (depth >= CORE * deepest[numbered]), numbered + 1, 0)
    seeds[outside > CORE * min(deepest.max(), outside.max())] = 1
    return np.asarray(seeds.astype(np.int32))


def _flooded(length: Array, seeds: Array) -> Array:
    from skimage.segmentation import watershed

    return np.asarray(watershed(_levels(length), seeds, connectivity=1))


def _merged(basins: Array, height: Array, *, classes: int) -> Array | None:
    """The basins whose mean height is at least the lowest of Otsu's thresholds; None where there is none."""
    counts = np.bincount(basins.ravel())
    means = np.bincount(basins.ravel(), weights=height.ravel()) / np.maximum(counts, 1)
    cuts = multi_otsu(means[basins], classes) or multi_otsu(means[basins], 2)
    return np.asarray((means >= cuts[0])[basins]) if cuts else None
