"""Level sets: a contour moves until its inside and outside are even, or until it rests on edges."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from isocenter.data import After, Before, Case, Cases, NotEvaluated, Segmentation, Watch, knob, silent
from isocenter.infer.holding import held
from isocenter.ops.array import Array
from isocenter.ops.gradient import gradient, size
from isocenter.ops.level_set import chan_vese, geodesic, stopping
from isocenter.ops.morphology import enclosed
from isocenter.ops.resample import resize
from isocenter.ops.thresholds import otsu
from isocenter.tasks._settled import Settled
from isocenter.tasks.segment._choose import region
from isocenter.tasks.segment._grey import grey, refuse_unused
from isocenter.tasks.segment._settled import answered, bright_inside, shared, tried

MODELS, BACKGROUNDS = ("chan_vese", "geodesic"), ("none", "enclosed")
SMOOTHNESS, TRIED = 1.0, (0.25, 1.0, 4.0)
# The geodesic contour starts this many pixels outside Otsu's mask and shrinks for so many steps, on a grid of no more
# pixels than these by rank; a Gaussian of this SD in pixels makes its gradient.
AROUND, STEPS, PIXELS, SD = 3, 30, {2: 256**2, 3: 64**3}, 1.0


@dataclass(frozen=True)
class LevelSet(Settled):
    """A contour that starts at Otsu's threshold and moves. Needs no training.

    `chan_vese` makes inside and outside even for a short boundary; `geodesic` shrinks from around the mask until edges
    hold it. `fit` returns the same method with the fields that stand open learnt from train.

    Sources: Chan & Vese, IEEE Trans. Image Process. 10 (2001) 266; Marquez-Neila, Baumela, Alvarez, IEEE TPAMI 36
    (2014) 2, after Caselles, Kimmel, Sapiro, Int. J. Comput. Vis. 22 (1997) 61.

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
    model: str | None = knob(
        None,
        "what moves the contour; None: learnt from train, else chan_vese",
        choices=MODELS,
        source="Chan & Vese 2001; Marquez-Neila et al. 2014",
    )
    background: str | None = knob(
        None,
        "what is removed first: `enclosed` all that the image's edge reaches at its level, `none` nothing; None: "
        "learnt from train, else none",
        choices=BACKGROUNDS,
        source="Vincent, IEEE Trans. Image Process. 2 (1993) 176",
    )
    smoothness: float | None = knob(
        None,
        "chan_vese: weight of the boundary in pixels against squared SD of the values; geodesic: steps of curvature "
        "flow after each step, rounded; None: learnt from train, else 1",
        low=0.0,
        high=100.0,
    )
    name: str = knob("foreground", "name of the region in the answer; learnt from train where it has one class")

    def __post_init__(self) -> None:
        refuse_unused(self.before, self.after, where="level_set")

    def predict(self, case: Case) -> Segmentation | NotEvaluated:
        """The region on the case's own grid; NotEvaluated where nothing differs from the background."""
        values = grey(case, self.before, denoise="gaussian")
        if isinstance(values, NotEvaluated):
            return values
        bright = bright_inside(values) if self.bright is None else self.bright
        height = enclosed(values, bright=bright) if self.background == "enclosed" else values if bright else -values
        cut = otsu(height)
        if cut is None:
            return NotEvaluated("nothing differs from the background")
        smoothness = SMOOTHNESS if self.smoothness is None else self.smoothness
        start = height >= np.float32(cut)
        if self.model == "geodesic":
            mask = _shrunk(height, start, round(smoothness))
        else:
            mask = chan_vese(height, start, smoothness=smoothness)
        return answered(mask, self.after, self.name, case.image().geometry)

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> LevelSet:
        """The same method with channel and the fields that stand open learnt from 4 to 24 cases of train.

        Raises
        ------
        LabelError
            Train holds no labelled pixel.
        """
        train = held(train)
        made = replace(self, name=region(train))
        sides = {"before.channel": shared(train), "bright": (True, False), "background": BACKGROUNDS}
        made = tried(made, train, sides, watch=watch, share=(0.0, 0.4))
        ways = {"model": MODELS, "smoothness": TRIED}
        made = tried(made, train, ways, watch=watch, share=(0.4, 0.9))
        return tried(made, train, {"after.largest": (None, True)}, watch=watch, share=(0.9, 1.0))


def _shrunk(height: Array, start: Array, smoothing: int) -> Array:
    """The geodesic contour around a mask, found on a grid that is coarser where the image is large."""
    from scipy import ndimage

    factor = max(1.0, (height.size / PIXELS[height.ndim]) ** (1 / height.ndim))
    grid = [max(1, round(s / factor)) for s in height.shape]
    coarse, mask = resize(np.stack([height, start.astype(np.float32)]), grid)
    stop = stopping(size(gradient(coarse, SD, (1.0,) * coarse.ndim)))
    around = ndimage.binary_dilation(mask >= 0.5, iterations=AROUND)
    found = geodesic(stop, around, steps=STEPS, smoothing=smoothing, balloon=-1)
    return np.asarray(resize(found[None].astype(np.float32), height.shape)[0] >= 0.5)
