"""Watershed split: a threshold, and touching objects divided along the watersheds of their distance maps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

import numpy as np
from scipy import ndimage

from isocenter.data import (
    OBJECT,
    Case,
    Cases,
    Instances,
    NotEvaluated,
    Progress,
    Watch,
    as_settings,
    build,
    knob,
    silent,
)
from isocenter.errors import LabelError
from isocenter.ops.array import Array
from isocenter.ops.basins import divided
from isocenter.ops.components import filled, without_small
from isocenter.ops.objects import overlaps
from isocenter.ops.stain import derived, pair_of
from isocenter.ops.thresholds import otsu, triangle
from isocenter.tasks._looked import evenly

# Training images that a choice looks at, and what is tried: shares of the usual diameter.
LOOKED = 40
RULES = ("otsu", "triangle", "local")
CHANNELS = ("mean", "he-hematoxylin", "hdab-hematoxylin", "hdab-dab", "stain")
PROMINENCE, SMALLEST = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3), (0.02, 0.05, 0.1, 0.2)
# What holds without training.
DIAMETER = 16.0
NUCLEAR = {"eosin": "he-hematoxylin", "dab": "hdab-hematoxylin"}
# As bundles written before there was a choice of stains call it.
FORMER = {"hematoxylin": "he-hematoxylin"}


@dataclass(frozen=True)
class WatershedSplit:
    """Objects by threshold and watershed of the distance to the edge. Needs no training.

    `fit` returns the same method with every open field chosen on train by TP / (TP + FP + FN) at an IoU of 0.5.

    Sources: Otsu, IEEE Trans. SMC 9 (1979) 62; Zack et al., J. Histochem. Cytochem. 25 (1977) 741; Vincent and Soille,
    IEEE Trans. PAMI 13 (1991) 583; Malpica et al., Cytometry 28 (1997) 289.
    """

    rule: str | None = knob(
        None, "the threshold: of Otsu, of the triangle, or Otsu's of the contrast to the surroundings", choices=RULES
    )
    bright: bool | None = knob(
        None, "whether objects are brighter than the ground; None: whichever covers less of the image"
    )
    diameter: float | None = knob(None, "usual diameter of an object", unit="pixels", low=1.0, high=10000.0)
    prominence: float | None = knob(
        None, "share by which the neck of two objects is thinner than the thinner of both", low=0.0, high=1.0
    )
    smallest: float | None = knob(None, "least area, in squares (cubes) of the diameter", low=0.0, high=10.0)
    channel: str | None = knob(
        None,
        "what is seen of a colour picture: the mean, the amount of a dye, or (stain) hematoxylin beside eosin or DAB, "
        "whichever its colours fit; None: the mean, of pictures with DAB hematoxylin",
        choices=CHANNELS,
    )
    name: str = knob(OBJECT, "name of the class; learnt from train where it has one")

    def predict(self, case: Case) -> Instances | NotEvaluated:
        """The objects on the case's own grid, scored by their contrast; NotEvaluated without finite values."""
        image = case.image()
        values = grey(image.channels_first(), self.channel)
        if values is None:
            return NotEvaluated("no pixel holds a finite value")
        numbers = self.numbers(values)
        scores = contrast(values, numbers)
        return Instances.from_label_map(numbers, image.geometry, classes=(self.name,), scores=scores.tolist())

    def numbers(self, values: Array) -> Array:
        """int32 (*grid), one number an object, of grey values float32 (*grid)."""
        diameter = self.diameter or DIAMETER
        mask = self._mask(ndimage.gaussian_filter(values, 0.03 * diameter), diameter)
        least = (self.smallest if self.smallest is not None else 0.05) * diameter**values.ndim
        mask = without_small(filled(mask), least)
        if not mask.any():
            return np.zeros(mask.shape, np.int32)
        height = ndimage.distance_transform_edt(np.pad(mask, 1))[(slice(1, -1),) * mask.ndim].astype(np.float32)
        height = np.where(mask, np.maximum(ndimage.gaussian_filter(height, 1.0), 0.1), 0).astype(np.float32)
        share = self.prominence if self.prominence is not None else 0.1
        return divided(mask, height, prominence=share, least=least)

    def _mask(self, values: Array, diameter: float) -> Array:
        if self.rule == "local":
            wide = ndimage.uniform_filter(values, int(4 * diameter) | 1, mode="reflect")
            values = values - wide
        if self.bright is not None:
            return _above(values if self.bright else -values, self.rule)
        # Objects are the smaller part of a field of view.
        both = [_above(v, self.rule) for v in (values, -values)]
        return min(both, key=np.count_nonzero) if all(b.any() for b in both) else both[0]

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> FittedWatershedSplit:
        """The same method with every open field chosen on train.

        Raises
        ------
        LabelError
            Train holds no object.
        """
        looked = [train[i] for i in evenly(train, LOOKED)]
        truths = [_truth(c) for c in looked]
        pixels = [c.image().channels_first() for c in looked]

        # One channel at a time is held.
        @lru_cache(maxsize=1)
        def seen(channel: str | None) -> list[Array | None]:
            return [grey(p, channel) for p in pixels]

        known = [i for i, v in enumerate(seen(self.channel)) if v is not None]
        sizes = [np.prod(s) ** (1 / len(s)) for i in known for s in truths[i].boxes().sizes]
        if not sizes:
            raise LabelError("the training cases hold no object", where=train.name, remedy="Check the truth")
        one = train.classes[0] if len(train.classes) == 1 else self.name
        made = replace(self, name=one, diameter=self.diameter or round(float(np.median(sizes)), 2))

        def scored(method: WatershedSplit) -> float:
            values = seen(method.channel)
            return float(np.mean([_agreement(method, values[i], truths[i]) for i in known]))

        channels = (None, *CHANNELS) if any(_coloured(p) for p in pixels) else (None,)
        choices: list[tuple[str, tuple[Any, ...]]] = [
            ("rule", RULES), ("bright", (None, True, False)), ("channel", channels), ("prominence", PROMINENCE),
            ("smallest", SMALLEST), ("rule", RULES), ("prominence", PROMINENCE),
        ]  # fmt: skip
        for k, (name, values) in enumerate(choices):
            if getattr(self, name) is None:
                made = max((replace(made, **{name: v}) for v in values), key=scored)
            watch.report(Progress("choose", (k + 1) / len(choices)))
        return FittedWatershedSplit(**{f.name: getattr(made, f.name) for f in fields(made)})

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> FittedWatershedSplit:
        """The chosen method of a bundle."""
        recipe = dict(about["recipe"])
        if recipe.get("channel") in FORMER:
            recipe["channel"] = FORMER[recipe["channel"]]
        found: FittedWatershedSplit = build(FittedWatershedSplit, recipe)
        return found


@dataclass(frozen=True)
class FittedWatershedSplit(WatershedSplit):
    """The method with its choices made."""

    @property
    def about(self) -> dict[str, Any]:
        """Its recipe."""
        return {"recipe": as_settings(self), "classes": [self.name]}

    def state(self) -> dict[str, Array]:
        """No arrays: the recipe is everything."""
        return {}


def grey(channels: Array, channel: str | None = None) -> Array | None:
    """float32 (*grid), 0 to 1 between its percentiles 0.1 and 99.9; None where no value is finite.

    Parameters
    ----------
    channels
        (c, *grid).
    channel
        Of `CHANNELS`; a dye is dark where there is much of it, and grey pictures have none but the mean. None: as the
        recipe says.
    """
    dye = _dye(channels, channel) if _coloured(channels) else None
    values = np.asarray(channels[:3], np.float32).mean(0) if dye is None else -derived(channels, dye)
    finite = np.isfinite(values)
    if not finite.any():
        return None
    if not finite.all():
        values = np.where(finite, values, values[finite].min())
    low, high = (float(v) for v in np.percentile(values, [0.1, 99.9]))
    return np.asarray(np.clip((values - low) / max(high - low, 1e-12), 0, 1), np.float32)


def _coloured(channels: Array) -> bool:
    return len(channels) == 3 and bool((channels[0] != channels[2]).any()) and bool(np.isfinite(channels).all())


def _dye(colours: Array, channel: str | None) -> str | None:
    """Of `isocenter.ops.stain.DERIVED`; None: the mean."""
    if channel not in (None, "stain"):
        return None if channel == "mean" else channel
    pair = pair_of(colours)
    # What is brown with DAB is the antibody's find and need not be a nucleus. Beside eosin the mean tells nuclei from
    # the ground as well as hematoxylin does or better: measured on labelled sections for training.
    return None if pair is None or (channel is None and pair[1] != "dab") else NUCLEAR[pair[1]]


def contrast(values: Array, numbers: Array) -> Array:
    """float64 (n,), 0 to 1: how far the mean of each object lies from the median of the ground."""
    n = int(numbers.max(initial=0))
    if not n:
        return np.zeros(0)
    ground = values[numbers == 0]
    middle = float(np.median(ground)) if ground.size else 0.0
    sums, counts = (np.bincount(numbers.ravel(), w, n + 1)[1:] for w in (values.ravel(), None))
    return np.asarray(np.clip(np.abs(sums / np.maximum(counts, 1) - middle), 0.0, 1.0))


def _above(values: Array, rule: str | None) -> Array:
    cut = triangle(values) if rule == "triangle" else otsu(values)
    return np.zeros(values.shape, bool) if cut is None else np.asarray(values >= np.float32(cut))


def _truth(case: Case) -> Instances:
    truth = case.truth()
    if not isinstance(truth, Instances):
        raise LabelError("a training case has no objects", where=case.id)
    return truth


def _agreement(method: WatershedSplit, values: Array | None, truth: Instances) -> float:
    if values is None:
        return 0.0
    found = Instances.from_label_map(method.numbers(values), truth.geometry)
    met = overlaps((found.starts, found.masks), (truth.starts, truth.masks), truth.geometry.shape)
    hits = int(np.count_nonzero(met.iou > 0.5))
    total = len(found) + len(truth) - hits
    return hits / total if total else 1.0
