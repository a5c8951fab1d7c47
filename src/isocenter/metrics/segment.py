"""Metrics of a segmentation: what is counted per region, and what is measured at its surface.

Rules for what a case adds, per region:

==========================  ==========================================================================================
truth and answer            value
==========================  ==========================================================================================
both hold the region        as defined
truth holds it, answer not  dice, jaccard, precision, recall, nsd 0; volume_error 1; hd95, assd the image's diagonal
answer holds it, truth not  leaves dice, jaccard, recall, hd95, assd, nsd, volume_error; precision 0; in false_volume
neither                     leaves those and precision; false_volume 0
truth fills all pixels      leaves specificity (nothing to leave out)
surface wholly in ignore    leaves hd95, assd, nsd (nothing to measure from)
==========================  ==========================================================================================

Pixels whose truth is ignore take part in nothing. An answer of `NotEvaluated` is an empty one. An axis of one pixel is
left out of distances.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from isocenter.data import IGNORE, Geometry, NotEvaluated, Segmentation
from isocenter.errors import GeometryError, LabelError
from isocenter.metrics.by_case import FOREGROUND, means
from isocenter.metrics.metric import Estimate, Metric, Record
from isocenter.ops.array import Array
from isocenter.ops.surface import SurfaceDistances, SurfacePair, surface_pair


@dataclass(frozen=True)
class Length:
    """A number whose unit depends on whether the spacing is known; None where the case does not enter."""

    value: float | None
    unit: str
    in_pixels: float | None


@dataclass(frozen=True, eq=False)
class Region:
    """One region of one case: what metrics are recorded from.

    Parameters
    ----------
    predicted, true
        Boolean masks, False on ignored pixels.
    ignored
        Boolean array, or None where nothing is ignored.
    geometry
        Of the grid.
    """

    predicted: Array
    true: Array
    ignored: Array | None
    geometry: Geometry

    @cached_property
    def counts(self) -> tuple[int, int, int, int]:
        """True positive, false positive, false negative and true negative pixels, without ignored ones."""
        masks = (self.predicted & self.true, self.predicted, self.true)
        both, predicted, true = (int(np.count_nonzero(m)) for m in masks)
        all_pixels = self.true.size - (0 if self.ignored is None else int(np.count_nonzero(self.ignored)))
        return both, predicted - both, true - both, all_pixels - predicted - true + both

    @cached_property
    def surfaces(self) -> SurfacePair:
        """Both surfaces."""
        return surface_pair(self.predicted, self.true, ignored=self.ignored)

    @cached_property
    def distances(self) -> SurfaceDistances:
        """Distances between both surfaces in the unit of the geometry."""
        return self.surfaces.distances(self.spacing)

    @cached_property
    def pixel_distances(self) -> SurfaceDistances:
        """Distances between both surfaces in pixels."""
        unknown = self.geometry.spacing is None
        return self.distances if unknown else self.surfaces.distances((1.0,) * self.geometry.ndim)

    @property
    def spacing(self) -> tuple[float, ...]:
        """mm per axis, or 1 pixel where unknown."""
        return self.geometry.spacing or (1.0,) * self.geometry.ndim

    @property
    def diagonal(self) -> Length:
        """Of the image."""
        return Length(self.geometry.diagonal, self.geometry.unit, float(np.linalg.norm(self.geometry.shape)))

    @property
    def pixel_diagonal(self) -> float:
        """Of one pixel, over the axes of more than one pixel, in the unit of the geometry."""
        return float(np.linalg.norm([s for s, n in zip(self.spacing, self.geometry.shape, strict=True) if n > 1]))


@dataclass(frozen=True)
class Regions:
    """All regions of one case.

    Parameters
    ----------
    classes
        By class of the truth; empty where the prediction knows ``foreground`` only and the truth several.
    union
        Of several classes, scored under ``foreground``; None for a single class.
    answered
        False for `NotEvaluated`.
    """

    classes: Mapping[str, Region]
    union: Region | None
    answered: bool = True


def regions(prediction: Segmentation | NotEvaluated, truth: Segmentation) -> Regions:
    """The regions to be scored.

    A prediction whose only region is ``foreground`` stands for the only class of the truth, or for the union of
    several; the only region of a prediction stands for a truth whose only class is ``foreground``. Predicted regions
    that the truth does not know, and predicted ignore, count as background.

    Raises
    ------
    GeometryError
        The prediction lies on another grid.
    LabelError
        Prediction and truth have no region name in common.
    """
    answered = isinstance(prediction, Segmentation)
    labels = prediction.labels if isinstance(prediction, Segmentation) else np.zeros(truth.labels.shape, np.uint8)
    names = _in_words_of(truth, prediction) if isinstance(prediction, Segmentation) else truth.names
    geometry = truth.geometry
    if geometry.affine is None and isinstance(prediction, Segmentation):
        # A truth without spacing (a PNG) takes that of the answer, which lies on the case's own grid.
        geometry = prediction.geometry
    if labels.shape != truth.labels.shape:
        raise GeometryError("the answer lies on another grid than the truth", got=str(labels.shape),
                            wanted=str(truth.labels.shape), remedy="Resample the answer to the grid of the truth")
    ignored = truth.labels == IGNORE
    out = ignored if ignored.any() else None

    def region(wanted: Sequence[str]) -> Region:
        masks = [_among(a, n, wanted) for a, n in ((labels, names), (truth.labels, truth.names))]
        return Region(masks[0] & ~ignored if out is not None else masks[0], masks[1], out, geometry)

    several = len(truth.regions) > 1
    only_union = several and names[1:] == (FOREGROUND,) and FOREGROUND not in truth.regions
    classes = {} if only_union else {c: region((c,)) for c in truth.regions}
    union = region((*truth.regions, FOREGROUND)) if several and FOREGROUND not in truth.regions else None
    return Regions(classes, union, answered)


def _among(labels: Array, names: Sequence[str], wanted: Sequence[str]) -> Array:
    chosen = np.zeros(256, bool)
    chosen[[i for i, n in enumerate(names) if i and n in wanted]] = True
    return np.asarray(chosen[labels])


def _in_words_of(truth: Segmentation, prediction: Segmentation) -> tuple[str, ...]:
    """The prediction's names as the truth spells them."""
    theirs, ours = prediction.regions, truth.regions
    if len(theirs) == 1 and len(ours) == 1 and FOREGROUND in (theirs[0], ours[0]):
        return ("background", ours[0])
    spelt = {_as_number(c): c for c in ours}
    names = tuple(spelt.get(_as_number(n), n) for n in theirs)
    if theirs and ours and names != (FOREGROUND,) and not set(names) & set(ours):
        raise LabelError("answer and truth have no region in common", got=", ".join(theirs), wanted=", ".join(ours),
                         remedy="Name the classes alike, or state them in cases.json under labels")
    return ("background", *names)


def _as_number(name: str) -> str | float:
    try:
        return float(name)
    except ValueError:
        return name


Number = float | None


def dice(region: Region) -> Number:
    """2 TP / (2 TP + FP + FN)."""
    tp, fp, fn, _ = region.counts
    return None if tp + fn == 0 else 2 * tp / (2 * tp + fp + fn)


def jaccard(region: Region) -> Number:
    """TP / (TP + FP + FN)."""
    tp, fp, fn, _ = region.counts
    return None if tp + fn == 0 else tp / (tp + fp + fn)


def precision(region: Region) -> Number:
    """TP / (TP + FP); 0 for a missed region."""
    tp, fp, fn, _ = region.counts
    if tp + fp == 0:
        return None if fn == 0 else 0.0
    return tp / (tp + fp)


def recall(region: Region) -> Number:
    """TP / (TP + FN)."""
    tp, _, fn, _ = region.counts
    return None if tp + fn == 0 else tp / (tp + fn)


def specificity(region: Region) -> Number:
    """TN / (TN + FP)."""
    _, fp, _, tn = region.counts
    return None if tn + fp == 0 else tn / (tn + fp)


def volume_error(region: Region) -> Number:
    """\\|predicted - true\\| / true."""
    tp, fp, fn, _ = region.counts
    return None if tp + fn == 0 else abs(fp - fn) / (tp + fn)


def false_volume(region: Region) -> Length:
    """What is predicted where the truth holds nothing: ml in 3D, mm2 in 2D, else pixels."""
    tp, fp, fn, _ = region.counts
    pixel, flat = region.geometry.pixel_volume, region.geometry.ndim == 2
    unit = "px" if pixel is None else "mm2" if flat else "ml"
    if tp + fn:
        return Length(None, unit, None)
    return Length(fp * (1.0 if pixel is None else pixel if flat else pixel / 1000.0), unit, float(fp))


def hd95(region: Region) -> Length:
    """95th percentile of surface distances, by area, the larger of both directions."""
    return _surface(region, lambda d: d.percentile(95.0))


def assd(region: Region) -> Length:
    """Mean of surface distances over the area of both surfaces."""
    return _surface(region, SurfaceDistances.mean)


def nsd(region: Region) -> Number:
    """Share of both surfaces within one pixel diagonal of the other."""
    tp, fp, fn, _ = region.counts
    if tp + fn == 0 or tp + fp == 0:
        return None if tp + fn == 0 else 0.0
    return region.distances.share_within(region.pixel_diagonal)


def _surface(region: Region, measure: Callable[[SurfaceDistances], Number]) -> Length:
    tp, fp, fn, _ = region.counts
    if tp + fn == 0:
        return Length(None, region.geometry.unit, None)
    if tp + fp == 0:
        return region.diagonal
    value = measure(region.distances)
    if not _alike(region):
        return Length(value, region.geometry.unit, measure(region.pixel_distances))
    return Length(value, region.geometry.unit, None if value is None else value / region.spacing[0])


def _alike(region: Region) -> bool:
    """Whether pixels are as long along every axis, so that pixels and mm are one factor apart."""
    return len(set(region.spacing)) == 1


def record(metric: Metric, found: Regions) -> dict[str, Any]:
    """What one case adds to one metric.

    Returns
    -------
    dict
        ``values``: class to number or None; ``union`` where the truth has several classes; ``unit`` and the same again
        under ``px`` for what depends on the spacing; ``answered`` False where not. Of the leading metric, dice, also
        ``sizes``: class to true pixels (``foreground`` where only the union is scored), ``pixel``: how large one is,
        None where unknown, and ``pixel_unit``: mm2 or mm3.
    """
    classes = {c: metric.record(r) for c, r in found.classes.items()}
    union = {} if found.union is None else {"union": metric.record(found.union)}
    out: dict[str, Any] = {} if found.answered else {"answered": False}
    if metric.key == SIZED:
        out |= _sizes(found)
    lengths = [v for v in (*classes.values(), *union.values()) if isinstance(v, Length)]
    if not lengths:
        return {"values": classes, **union, **out}
    out |= {"values": {c: v.value for c, v in classes.items()}, "unit": lengths[0].unit}
    out |= {k: v.value for k, v in union.items()}
    out["px"] = {"values": {c: v.in_pixels for c, v in classes.items()}, **{k: v.in_pixels for k, v in union.items()}}
    return out


def _sizes(found: Regions) -> dict[str, Any]:
    only = {} if found.union is None else {FOREGROUND: found.union}
    held = found.classes or only
    sizes = {c: int(r.counts[0] + r.counts[2]) for c, r in held.items()}
    grid = next(iter(held.values())).geometry
    return {"sizes": sizes, "pixel": grid.pixel_volume, "pixel_unit": "mm2" if grid.ndim == 2 else "mm3"}


# The metric whose records say how large the regions are.
SIZED = "dice"
RELOADED = "Maier-Hein, Reinke et al., Metrics Reloaded, Nature Methods 2024"
SHARE: tuple[float, float] = (0.0, 1.0)
OPEN: tuple[float, None] = (0.0, None)


def _metric(key: str, better: str, span: tuple[float, float | None], text: str, function: Callable[[Region], Any],
            *, unit: str = "", source: str = RELOADED) -> Metric:
    return Metric(key, unit, better, span, text, source, function, means, by_case=True)


def with_tolerance(records: Sequence[Record], positive: str | None = None) -> dict[str, Estimate]:
    """Means, flagged with the tolerance that they used."""
    return {t: replace(e, flags=(*e.flags, "tolerance_one_pixel_diagonal")) for t, e in means(records).items()}


SEGMENT = (
    _metric("dice", "higher", SHARE, "overlap: 2 TP / (2 TP + FP + FN); 0 for a missed region", dice,
            source="Dice, Ecology 1945"),
    _metric("jaccard", "higher", SHARE, "intersection over union; 0 for a missed region", jaccard,
            source="Jaccard, New Phytologist 1912"),
    _metric("precision", "higher", SHARE, "share of what was marked that is right; 0 for a missed region", precision),
    _metric("recall", "higher", SHARE, "share of the region that was marked", recall),
    _metric("specificity", "higher", SHARE, "share of what is not the region that was left out", specificity),
    _metric("hd95", "lower", OPEN, "95th percentile of surface distances by area, larger direction; a missed region "
            "counts the image's diagonal", hd95, unit="mm", source="Huttenlocher et al., PAMI 1993; " + RELOADED),
    _metric("assd", "lower", OPEN, "mean distance between the surfaces; a missed region counts the image's diagonal",
            assd, unit="mm", source="Heimann et al., TMI 2009"),
    Metric("nsd", "", "higher", SHARE, "share of both surfaces within one pixel diagonal of the other; 0 for a missed "
           "region", "Nikolov et al., arXiv 1809.04430", nsd, with_tolerance, by_case=True),
    _metric("volume_error", "lower", OPEN, "absolute difference in volume over the true volume; 1 for a missed region",
            volume_error, source="Heimann et al., TMI 2009"),
    _metric("false_volume", "lower", OPEN, "volume marked in cases that lack the region", false_volume, unit="ml",
            source=RELOADED),
)
