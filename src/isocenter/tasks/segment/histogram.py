"""Classes of intensity: Otsu's threshold, or several of them."""

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
from isocenter.errors import RecipeError
from isocenter.ops.array import Array
from isocenter.ops.components import tidied
from isocenter.ops.morphology import edge
from isocenter.ops.thresholds import multi_otsu
from isocenter.tasks.segment._choose import best, region
from isocenter.tasks.segment._grey import channels, grey, refuse_unused

# Numbers of classes that `fit` tries where `levels` stands open.
TRIED = (2, 3, 4)
LIAO = "Liao et al., J. Inf. Sci. Eng. 17 (2001) 713"


@dataclass(frozen=True)
class Histogram:
    """The pixels of one class of intensity, divided by Otsu's thresholds. Needs no training.

    `fit` returns the same method with channel, number of classes and target class chosen by Dice on train.

    Sources: Otsu, IEEE Trans. SMC 9 (1979) 62; Liao et al., J. Inf. Sci. Eng. 17 (2001) 713.

    Raises
    ------
    RecipeError
        A field of `before` or `after` that it cannot honour, or a target beyond the classes.
    """

    before: Before = knob(Before, "channel, denoise and window; the grid is the image's own")
    after: After = knob(After, "largest, smallest and fill")
    levels: int | None = knob(None, "classes of intensity; None: learnt from train, else 2", low=2, high=8, source=LIAO)
    target: int | None = knob(
        None,
        "which class is the answer: 0 the darkest, -1 the brightest; None: learnt from train, else whichever of "
        "the two covers less of the image's edge",
        low=-8,
        high=7,
    )
    bins: int = knob(256, "bins of the histogram", low=16, high=4096)
    name: str = knob("foreground", "name of the region in the answer; learnt from train where it has one class")

    def __post_init__(self) -> None:
        refuse_unused(self.before, self.after, where="histogram")
        levels = self.levels or 2
        if self.target is not None and not -levels <= self.target < levels:
            raise RecipeError("target is beyond the classes", got=str(self.target), wanted=f"0 to {levels - 1}")

    def predict(self, case: Case) -> Segmentation | NotEvaluated:
        """The region on the case's own grid; NotEvaluated where the image has fewer values than classes."""
        values = grey(case, self.before)
        if isinstance(values, NotEvaluated):
            return values
        levels = self.levels or 2
        cuts = multi_otsu(values, levels, bins=self.bins)
        if not cuts:
            return NotEvaluated("the image has too few different values to be divided", limit=f"{levels} classes")
        classes = np.zeros(values.shape, np.uint8)
        for cut in cuts:
            classes += values >= np.float32(cut)
        target = _least_on_edge(classes, levels) if self.target is None else self.target % levels
        labels = tidied(
            (classes == target).astype(np.uint8),
            keep_largest=bool(self.after.largest),
            smallest=self.after.smallest or 0.0,
            fill=bool(self.after.fill),
        )
        return Segmentation(labels, ("background", self.name), case.image().geometry)

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> Histogram:
        """The same method with channel, `levels`, `target` and `name` learnt from 4 to 24 cases of train.

        Raises
        ------
        LabelError
            Train holds no labelled pixel.
        """
        named = replace(self, name=region(train))
        targets = (0, -1) if self.target is None else (self.target,)
        chosen = best(
            [
                replace(named, target=t, before=replace(self.before, channel=c))
                for c in self._channels(train)
                for t in targets
            ],
            train,
            watch=watch,
            share=(0.0, 0.5),
        )
        levels = TRIED if self.levels is None else (self.levels,)
        return best(
            [
                replace(chosen, levels=k, target=t)
                for k in levels
                for t in (range(k) if self.target is None else (self.target,))
                if -k <= t < k
            ],
            train,
            watch=watch,
            share=(0.5, 1.0),
        )

    def _channels(self, train: Cases) -> tuple[str | None, ...]:
        return (self.before.channel,) if self.before.channel else channels(train[0].image())

    @property
    def about(self) -> Mapping[str, Any]:
        """The recipe: it is all there is."""
        return {"recipe": as_settings(self)}

    def state(self) -> dict[str, Array]:
        """No arrays."""
        return {}

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> Histogram:
        """The method that `about` described."""
        made: Histogram = build(cls, about["recipe"])
        return made


def _least_on_edge(classes: Array, levels: int) -> int:
    outer = classes[edge(classes.shape)]
    dark, bright = np.count_nonzero(outer == 0), np.count_nonzero(outer == levels - 1)
    return 0 if dark < bright else levels - 1
