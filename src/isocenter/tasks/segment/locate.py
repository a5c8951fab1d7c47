"""Locate: what an explanation of a classifier points at becomes a region, cut at a height that is chosen on val.

The classifier has never seen a mask; masks of val choose one number. Weakly supervised localisation after Zhou et al.,
CVPR 2016; the threshold on val after Choe et al., Evaluating weakly supervised object localization right, CVPR 2020.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from isocenter.data import (
    IGNORE,
    Attribution,
    Case,
    Cases,
    NotEvaluated,
    Progress,
    Segmentation,
    Watch,
    build,
    knob,
    silent,
)
from isocenter.errors import LabelError, RecipeError
from isocenter.ops.array import Array
from isocenter.tasks._looked import evenly
from isocenter.tasks._named import under
from isocenter.tasks.segment._choose import region
from isocenter.tasks.segment._map_part import arrays_of, plain_settings, read, told

# Heights that `fit` tries, shares of the map's highest value; and on how many cases of val.
HEIGHTS = tuple(round(0.05 * i, 2) for i in range(1, 20))
MOST = 64
HOW = 'of={"use": "explain/gradients", "of": {"use": "x.bundle"}}'


@dataclass(frozen=True)
class Locate:
    """The region above a height of a map. `fit` chooses on val, by mean Dice, what the recipe leaves open.

    Raises
    ------
    RecipeError
        `of` makes no map.
    """

    of: Any = knob(None, f"the explanation that makes the map, such as {HOW}")
    height: float | None = knob(
        None, "what counts, a share of the map's highest value; None: chosen on val", low=0.01, high=1.0
    )
    single: bool | None = knob(None, "keep the part with the highest pixel alone; None: chosen on val")
    box: bool = knob(False, "answer the box around the region, as detectors do")
    absent: str | None = knob(
        None, "class of the classifier that means that there is nothing: where it is the answer, the region is empty"
    )
    name: str = knob("foreground", "name of the region in the answer; taken from train where it has one class")

    def predict(self, case: Case) -> Segmentation | NotEvaluated:
        """The region on the case's own grid; RecipeError where the height was not chosen, raises as the part."""
        if self.height is None or self.single is None:
            raise RecipeError("the height of the map is not chosen yet", where="locate",
                              wanted="fit, or height and single",
                              remedy="Run: isocenter train segment DATA --method locate")
        found = self._map(case)
        return found if isinstance(found, NotEvaluated) else self._region(found)

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> Locate:
        """The same method with `height`, `single` and `name`; train gives the name alone.

        Raises
        ------
        LabelError
            No case of val holds a labelled pixel.
        """
        method = replace(self, name=region(train))
        if self.height is not None and self.single is not None:
            return method
        heights = HEIGHTS if self.height is None else (self.height,)
        singles = (False, True) if self.single is None else (self.single,)
        tried = [replace(method, height=h, single=s) for s in singles for h in heights]
        scores = []
        looked = evenly(valid, MOST)
        for n, i in enumerate(looked):
            case = valid[i]
            truth = case.truth()
            if isinstance(truth, Segmentation) and ((truth.labels > 0) & (truth.labels != IGNORE)).any():
                found = self._map(case)
                scores.append([_dice(t, found, truth) for t in tried])
            watch.report(Progress("choose", (n + 1) / len(looked)))
        if not scores:
            raise LabelError("no case of val holds a labelled pixel", where=valid.name, remedy="Check the masks of val")
        return tried[int(np.argmax(np.mean(scores, axis=0)))]

    @property
    def about(self) -> Mapping[str, Any]:
        """The recipe and the part, whole."""
        return {"recipe": plain_settings(self), "of": told(self.of)}

    def state(self) -> dict[str, Array]:
        """The arrays of the method that is explained."""
        return {f"of.{k}": a for k, a in arrays_of(self.of).items()}

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> Locate:
        """The way back from `about` and `state`; torch is not imported."""
        made: Locate = build(cls, {**about["recipe"], "of": read(about["of"], under("of", state))})
        return made

    def _map(self, case: Case) -> Attribution | NotEvaluated:
        if not hasattr(self.of, "predict"):
            raise RecipeError("locate needs an explanation", where="locate", got=str(self.of), wanted=HOW)
        found = self.of.predict(case)
        if not isinstance(found, Attribution | NotEvaluated):
            raise RecipeError("locate needs a map, and its part answers something else", where="locate",
                              got=type(found).__name__, wanted=HOW)
        return found

    def _region(self, found: Attribution) -> Segmentation:
        mask = np.zeros(found.values.shape, bool)
        if found.target != self.absent and self.height is not None:
            mask = above(found.values, self.height, single=bool(self.single))
        if self.box and mask.any():
            mask = boxed(mask)
        return Segmentation(mask.astype(np.uint8), ("background", self.name), found.geometry)


def above(values: Array, height: float, *, single: bool) -> Array:
    """bool (*grid): at least `height` times the map's highest value; nothing where no value is above 0.

    Parameters
    ----------
    values
        The map.
    height
        0 to 1.
    single
        Keep only what hangs together with the highest pixel, over edges and corners.
    """
    values = np.nan_to_num(np.asarray(values, np.float64))
    top = float(values.max())
    if top <= 0:
        return np.zeros(values.shape, bool)
    mask = values >= height * top
    if not single:
        return np.asarray(mask)
    from scipy.ndimage import label

    parts, _ = label(mask, np.ones((3,) * values.ndim))
    return np.asarray(parts == parts.ravel()[int(values.argmax())])


def boxed(mask: Array) -> Array:
    """The box around the true pixels of a mask, as a mask."""
    where = np.argwhere(mask)
    out = np.zeros(mask.shape, bool)
    out[tuple(slice(int(a), int(b) + 1) for a, b in zip(where.min(0), where.max(0), strict=True))] = True
    return out


def _dice(method: Locate, found: Attribution | NotEvaluated, truth: Segmentation) -> float:
    """Of all regions together where pixels count; a map that is missing is empty."""
    counts = truth.labels != IGNORE
    mask = counts & (truth.labels > 0)
    answer = np.zeros(mask.shape, bool) if isinstance(found, NotEvaluated) else method._region(found).labels > 0
    return float(2 * (answer & mask).sum() / ((answer & counts).sum() + mask.sum()))
