"""Greedy active contour: a line moved by edges, its own stiffness and what it encloses; 3D slice by slice."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from isocenter.data import After, Before, Case, Cases, NotEvaluated, Segmentation, Watch, knob, silent
from isocenter.errors import RecipeError
from isocenter.infer.holding import held
from isocenter.ops.array import Array
from isocenter.tasks.segment._choose import best
from isocenter.tasks.segment._coarse import coarse
from isocenter.tasks.segment._grey import refuse_unused
from isocenter.tasks.segment._on import ON, Part, refuse_input, seen
from isocenter.tasks.segment._parts import Composed
from isocenter.tasks.segment._start import Start, answer, begun, begun_by, biggest, cleaned

TERMS = ("continuity", "curvature", "edge", "region")
# What `fit` tries; the first is Williams & Shah's with a region's term.
TRIED = ((1.0, 1.0, 1.2, 1.0), (1.0, 1.0, 1.2, 0.0), (1.0, 1.0, 1.2, 4.0), (0.3, 0.3, 1.2, 4.0), (1.0, 3.0, 0.3, 4.0))
# SD of the Gaussian before the gradient, in pixels; of more parts than these, the largest in each slice get a contour.
SMOOTH, PARTS = 1.5, 32


@dataclass(frozen=True)
class Greedy(Composed):
    """Closed contours around where the region begins, moved point by point until they rest. Needs no training.

    Parts too small for a contour stay as they are; in volumes every slice is answered on its own. `fit` returns the
    same method with channel, start and weights learnt from train.

    Sources: Williams, Shah, CVGIP: Image Understanding 55 (1992) 14; Ronfard, Int. J. Comput. Vis. 13 (1994) 229.

    Raises
    ------
    RecipeError
        A field of `before` or `after` that it cannot honour, nothing to work on, or another number of weights than 4.
    """

    before: Before = knob(Before, "channel, denoise (default median) and window")
    after: After = knob(After, "largest (learnt where it is open), smallest and fill (default: holes are filled)")
    on: str | Part = knob("intensity", ON, choices=("intensity", "texture"))
    start: Start = knob(Start, "the first contours: around a region, or balls around seeds or a place")
    weights: tuple[float, ...] | None = knob(
        None,
        "of continuity, curvature, edge and region; None: learnt from train, else 1, 1, 1.2 and 1",
        low=0.0,
        high=1e3,
        source="Williams & Shah 1992; Ronfard 1994",
    )
    rounds: int = knob(200, "how often every point may move, at most", low=1, high=100000)
    name: str = knob("foreground", "name of the region in the answer; learnt from train where it has one class")

    def __post_init__(self) -> None:
        refuse_unused(self.before, self.after, where="greedy")
        refuse_input(self.on, self.before, where="greedy")
        if self.weights is not None and len(self.weights) != len(TERMS):
            raise RecipeError("another number of weights", where="greedy", got=str(len(self.weights)),
                              wanted="4: " + ", ".join(TERMS))

    def predict(self, case: Case) -> Segmentation | NotEvaluated:
        """The region on the case's own grid; NotEvaluated where all pixels are alike.

        Raises
        ------
        InputError
            A seed lies outside the image.
        """
        values = seen(case, self.on, self.before, denoise="median")
        if isinstance(values, NotEvaluated):
            return values
        found = begun(case, values, self.start, on=self.on)
        if isinstance(found, NotEvaluated):
            return found
        if values.ndim == 2:
            mask = self._slice(values, found.mask)
        else:
            mask = np.stack([self._slice(v, m) for v, m in zip(values, found.mask, strict=True)])
        mask = mask if found.reach is None else mask & found.reach
        return answer(cleaned(mask, found, self.after), case, self.name)

    def _slice(self, values: Array, mask: Array) -> Array:
        from isocenter.ops.snake import contour, enclosed_by, settled

        if not mask.any():
            return mask
        edge = edges(values)
        values = np.ascontiguousarray(values, np.float32)
        out = np.zeros(mask.shape, bool)
        for part in biggest(mask, PARTS):
            points = contour(part)
            if len(points) == 0:
                out |= part
                continue
            points = settled(points, values, edge, weights=self.weights or TRIED[0], rounds=self.rounds)
            out |= enclosed_by(points, values.shape)
        return out

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> Greedy:
        """The same method with the fields that stand open learnt from at most 8 cases of train, averaged down.

        Raises
        ------
        LabelError
            Train holds no labelled pixel.
        """
        train = held(train)
        chosen = begun_by(self, train, valid, watch=watch, share=(0.0, 0.6))
        every = TRIED if self.weights is None else (self.weights,)
        return best([replace(chosen, weights=w) for w in every], coarse(chosen, train), watch=watch, share=(0.6, 1.0))


def edges(values: Array) -> Array:
    """float32 (y, x): gradient of the smoothed image, 0 to 1 at its 99 percentile; 0 where it is flat."""
    from scipy import ndimage

    strength = ndimage.gaussian_gradient_magnitude(np.asarray(values, np.float32), SMOOTH, mode="nearest")
    top = float(np.quantile(strength, 0.99)) or float(strength.max())
    return np.asarray(np.clip(strength / top, 0.0, 1.0) if top > 0 else np.zeros_like(strength), np.float32)
