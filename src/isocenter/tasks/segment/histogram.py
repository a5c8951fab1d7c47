"""Classes of intensity: thresholds of Otsu, one or several, of the triangle, or between normal distributions."""

from __future__ import annotations

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
    knob,
    silent,
)
from isocenter.errors import RecipeError
from isocenter.infer.holding import held
from isocenter.ops.array import Array
from isocenter.ops.morphology import edge
from isocenter.ops.thresholds import mixture, multi_otsu, triangle
from isocenter.tasks._settled import Settled
from isocenter.tasks.segment._choose import best, region
from isocenter.tasks.segment._grey import colours, grey, refuse_unused
from isocenter.tasks.segment._settled import answered, shared, tried

# Numbers of classes that `fit` tries where `levels` stands open.
TRIED = (2, 3, 4)
RULES = ("otsu", "triangle", "mixture")
LIAO = "Liao et al., J. Inf. Sci. Eng. 17 (2001) 713"


@dataclass(frozen=True)
class Histogram(Settled):
    """The pixels of one class of intensity, divided by thresholds of the image's own histogram. Needs no training.

    `fit` returns the same method with channel (of colours also those of HSV, Lab and stains), rule, number of classes
    and target class chosen by Dice on train.

    Sources: Otsu, IEEE Trans. SMC 9 (1979) 62; Liao et al., J. Inf. Sci. Eng. 17 (2001) 713; Zack et al., J. Histochem.
    Cytochem. 25 (1977) 741; Dempster et al., J. R. Stat. Soc. B 39 (1977) 1.

    Raises
    ------
    RecipeError
        A field of `before` or `after` that it cannot honour, a target beyond the classes, or a triangle of more than 2.
    """

    before: Before = knob(Before, "channel, denoise and window; the grid is the image's own")
    after: After = knob(After, "largest (None: learnt from train), smallest and fill")
    rule: str | None = knob(
        None,
        "`otsu` one or several thresholds, `triangle` one for a small class beside a large one, `mixture` between "
        "normal distributions; None: learnt from train, else otsu",
        choices=RULES,
        source="Otsu 1979; Zack et al. 1977; Dempster et al. 1977",
    )
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
        if self.rule == "triangle" and levels != 2:
            raise RecipeError("the triangle makes two classes", got=f"levels={levels}", remedy="Leave levels out")

    def predict(self, case: Case) -> Segmentation | NotEvaluated:
        """The region on the case's own grid; NotEvaluated where the image has fewer values than classes."""
        values = grey(case, self.before)
        if isinstance(values, NotEvaluated):
            return values
        levels = self.levels or 2
        cuts = self._cuts(values, levels)
        if not cuts:
            return NotEvaluated("the image has too few different values to be divided", limit=f"{levels} classes")
        classes = np.zeros(values.shape, np.uint8)
        for cut in cuts:
            classes += values >= np.float32(cut)
        target = _least_on_edge(classes, levels) if self.target is None else self.target % levels
        return answered(classes == target, self.after, self.name, case.image().geometry)

    def _cuts(self, values: Array, levels: int) -> tuple[float, ...]:
        if self.rule == "triangle":
            cut = triangle(values, bins=self.bins)
            return () if cut is None else (cut,)
        return (mixture if self.rule == "mixture" else multi_otsu)(values, levels, bins=self.bins)

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> Histogram:
        """The same method with channel, `rule`, `levels`, `target` and `name` learnt from 4 to 24 cases of train.

        Raises
        ------
        LabelError
            Train holds no labelled pixel.
        """
        train = held(train)
        named = replace(self, name=region(train))
        # Channel and side first: in the wrong channel no number of classes helps.
        sides = {"before.channel": shared(train, of=colours), "target": (0, -1)}
        chosen = tried(named, train, sides, watch=watch, share=(0.0, 0.4))
        divided = best([replace(chosen, **d) for d in self._divisions()], train, watch=watch, share=(0.4, 0.9))
        return tried(divided, train, {"after.largest": (None, True)}, watch=watch, share=(0.9, 1.0))

    def _divisions(self) -> list[dict[str, Any]]:
        """Every rule, number of classes and target that the recipe leaves open."""
        return [
            {"rule": rule, "levels": k, "target": t}
            for rule in (RULES if self.rule is None else (self.rule,))
            for k in (TRIED if self.levels is None else (self.levels,))
            if rule != "triangle" or k == 2
            for t in (range(k) if self.target is None else (self.target,))
            if -k <= t < k
        ]


def _least_on_edge(classes: Array, levels: int) -> int:
    outer = classes[edge(classes.shape)]
    dark, bright = np.count_nonzero(outer == 0), np.count_nonzero(outer == levels - 1)
    return 0 if dark < bright else levels - 1
