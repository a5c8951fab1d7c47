"""A box in the middle of the image: what every method that claims to find something must beat."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from isocenter.data import After, Case, Cases, NotEvaluated, Segmentation, Watch, knob, silent
from isocenter.infer import unusable
from isocenter.infer.holding import held
from isocenter.tasks._settled import Settled
from isocenter.tasks.segment._choose import region
from isocenter.tasks.segment._settled import answered, tried

# Shares of each axis that `fit` tries.
SHARES = tuple(round(0.1 * i, 1) for i in range(1, 11))


@dataclass(frozen=True)
class CentreBox(Settled):
    """A centred box of the image's own proportions; it looks at no pixel.

    `fit` returns the same box with its size chosen by Dice on train. Whoever takes images puts what matters into the
    middle, so this is no straw man.
    """

    share: float | None = knob(
        None, "of each axis that the box covers; None: learnt from train, else a half", low=0.01, high=1.0
    )
    name: str = knob("foreground", "name of the region in the answer; learnt from train where it has one class")

    def predict(self, case: Case) -> Segmentation | NotEvaluated:
        """The box on the case's own grid; NotEvaluated where pixels are no finite numbers, as for any other method."""
        image = case.image()
        lack = unusable(image.channels_first())
        if lack is not None:
            return lack
        share = 0.5 if self.share is None else self.share
        shape = image.geometry.shape
        sides = [max(1, round(share * n)) for n in shape]
        mask = np.zeros(shape, bool)
        mask[tuple(slice((n - s) // 2, (n - s) // 2 + s) for n, s in zip(shape, sides, strict=True))] = True
        return answered(mask, After(), self.name, image.geometry)

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> CentreBox:
        """The same method with `share` and `name` learnt from 4 to 24 cases of train; LabelError without labels."""
        train = held(train)
        return tried(replace(self, name=region(train)), train, {"share": SHARES}, watch=watch, share=(0.0, 1.0))
