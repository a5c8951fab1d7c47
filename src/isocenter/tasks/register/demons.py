"""What bends: demons that are symmetric and do not fold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isocenter.data import Case, NotEvaluated, Predictor, Transform, knob
from isocenter.ops.array import Array
from isocenter.ops.demons import Rules, demons, whole
from isocenter.ops.pyramid import levels
from isocenter.ops.smoothing import gaussian
from isocenter.ops.velocity import exponential
from isocenter.tasks.register._working import refuse_start, unfolded, working

MEASURES = ("squares", "local")


@dataclass(frozen=True)
class Demons:
    """Log-domain symmetric diffeomorphic demons, from coarse to fine: every pixel moves, neighbours move alike.

    Images of one kind, flat or volumes, of any size, spacing and direction. They must lie near each other, in the world
    or by the part `start`. An answer that folds is smoothed until it does not.

    Sources: Vercauteren et al., MICCAI 2008, LNCS 5241, 754; NeuroImage 45 (2009) S61.

    Raises
    ------
    RecipeError
        The part `start` does not answer.
    """

    start: Predictor[Transform] | None = knob(
        None, 'what brings the moving image near: {"use": "register/METHOD"} or a bundle; None: the world as it is'
    )
    measure: str = knob(
        "squares", "of likeness: squares (one kind of image), local (brightness and contrast change slowly)",
        choices=MEASURES,
    )
    smoothness: float = knob(
        2.0, "standard deviation of the Gaussian that smooths the velocity, on each level", unit="pixels of the level",
        low=0.0, high=20.0, tunable=True,
    )  # fmt: skip
    fluid: float = knob(
        1.0, "standard deviation of the Gaussian that smooths each step, on each level", unit="pixels of the level",
        low=0.0, high=20.0, tunable=True,
    )  # fmt: skip
    steps: int = knob(30, "on each level, at most; on the finest a third", low=1, high=1000)
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
        velocity = demons(pyramid, Rules(self.steps, self.fluid, self.smoothness))
        shape = work.shape

        def made(n: int) -> Array:
            calm = gaussian(velocity, (0.5 * n,) * 3) if n else velocity
            full = whole(exponential(calm, step=0.1), pyramid[0])[-len(shape) :]
            full = full.reshape(len(shape), *full.shape[-len(shape) :])
            return np.ascontiguousarray(full[(slice(None), *map(slice, shape))])

        return unfolded(work, made)
