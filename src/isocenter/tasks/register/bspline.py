"""What bends: a lattice of cubic B-splines."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from isocenter.data import Case, NotEvaluated, Predictor, Transform, knob
from isocenter.ops.array import Array
from isocenter.ops.bspline import Form, freeform, searched
from isocenter.ops.pyramid import levels
from isocenter.tasks.register._working import refuse_start, unfolded, working

MEASURES = ("squares", "correlation", "mutual")
# By how much more bending counts after each answer that folds.
CALMER = 5.0


@dataclass(frozen=True)
class BSpline:
    """Free-form deformation: weights of cubic B-splines on a lattice, found by gradients from coarse to fine.

    Flat images or volumes of any size, spacing and direction. They must lie near each other, in the world or by the
    part `start`. An answer that folds is searched on with more weight on bending until it does not.

    Source: Rueckert et al., IEEE TMI 18 (1999) 712.

    Raises
    ------
    RecipeError
        The part `start` does not answer.
    """

    start: Predictor[Transform] | None = knob(
        None, 'what brings the moving image near: {"use": "register/METHOD"} or a bundle; None: the world as it is'
    )
    measure: str = knob(
        "correlation", "of likeness: squares or correlation (one kind of image), mutual information (two kinds)",
        choices=MEASURES,
    )
    spacing: float = knob(
        8.0, "of the lattice on the finest level", unit="pixels of the fixed image", low=1.0, high=1000.0, tunable=True
    )
    bending: float = knob(
        1.0, "weight of the mean squared second derivative of the displacement", low=0.0, high=1e6, tunable=True,
    )  # fmt: skip
    steps: int = knob(30, "of the search on each level, at most; on the finest a third", low=1, high=1000)
    levels: int = knob(4, "of the pyramid, at most", low=1, high=10)
    channel: str | None = knob(None, "a channel of both images by name or number from 0; None: the mean of all")

    def __post_init__(self) -> None:
        refuse_start(self.start)

    def predict(self, case: Case) -> Transform | NotEvaluated:
        """The map, with similarity before and after; NotEvaluated where the images do not meet or share nothing.

        Raises
        ------
        NotFoundError
            The case has no image `fixed` or `moving`, or an image has no such channel.
        InputError
            An image is a film.
        """
        work = working(case, self.start, channel=self.channel, measure=self.measure)
        if isinstance(work, NotEvaluated):
            return work
        pyramid = levels(work.fixed, work.moving, work.weight, spacing=work.spacing, most=self.levels)
        form = Form(self.measure, self.spacing, self.bending, self.steps)
        found = [freeform(pyramid, form)]
        shape = work.shape

        def made(n: int) -> Array:
            if n:
                calm = replace(form, bending=max(form.bending, 1e-3) * CALMER**n)
                found.append(searched(found[-1], pyramid[0], calm, steps=-(-form.steps // 3)))
            full = found[-1].displacement(pyramid[0].weight.shape)[-len(shape) :]
            full = full.reshape(len(shape), *full.shape[-len(shape) :])
            return np.ascontiguousarray(full[(slice(None), *map(slice, shape))])

        return unfolded(work, made)
