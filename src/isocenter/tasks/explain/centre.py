"""The centre of the image, whatever it shows: what a map must beat before it is said to show where something is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from isocenter.data import Attribution, Case, NotEvaluated, knob
from isocenter.infer.preparing import unusable
from isocenter.metrics.asked import asked
from isocenter.ops.array import Array


@dataclass(frozen=True)
class Centre:
    """1 in the centre and falling to 0 at the edges, so that every threshold leaves a centred box.

    Photographers and sonographers put what matters into the middle: the pointing game is won often by pointing there
    (Zhang et al., IJCV 2018, count this as a baseline too).
    """

    of: Any = knob(None, "the method that names the class; None: no class is named")
    target: str | None = knob(None, "class to name; None: the answer's own")

    def predict(self, case: Case) -> Attribution | NotEvaluated:
        """The map on the case's own grid; NotEvaluated where `of` gives no answer to explain.

        Raises
        ------
        NotFoundError
            The answer knows no such class.
        """
        image = case.image().still()
        lack = unusable(image.channels_first())
        if lack is not None:
            return lack
        name = self.target or "any"
        if self.of is not None:
            question = asked(self.of, case, self.target)
            if isinstance(question, NotEvaluated):
                return question
            name = question.target
        return Attribution(centred(image.geometry.shape), image.geometry, name, "centre")


def centred(shape: tuple[int, ...]) -> Array:
    """float32 (*shape): 1 minus the largest distance from the centre along an axis, each axis being 1 to its edge."""
    lines = [1 - np.abs((np.arange(n) + 0.5) * 2 / n - 1) for n in shape]
    each = [line.reshape([-1 if i == a else 1 for i in range(len(shape))]) for a, line in enumerate(lines)]
    lowest = np.broadcast_to(each[0], shape)
    for one in each[1:]:
        lowest = np.minimum(lowest, one)
    return np.asarray(lowest, np.float32)
