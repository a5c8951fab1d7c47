"""What the training cases are like: the facts that the plan is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from isocenter.data import IGNORE, Case, Cases, Image, Probabilities, Segmentation, build
from isocenter.data.turning import turned
from isocenter.errors import InputError, LabelError
from isocenter.ops.array import Array

# Pixels per image that enter the intensity statistics.
SAMPLE = 20000


@dataclass(frozen=True)
class Fingerprint:
    """Facts about one set of training cases.

    Parameters
    ----------
    task
        ``"segment"`` or ``"classify"``.
    n
        Cases.
    rank
        Spatial axes, 2 or 3.
    channels
        Of the stored images.
    grey
        All images have one channel, or three that are equal.
    smallest, median, largest
        Grid per axis over all cases (array order).
    spacing
        Median mm per axis, or None where any case lacks it.
    varied
        Whether the spacing differs by more than 1 % between cases.
    modality, dtype
        As all images say; "" where they differ or do not say.
    low, high, mean, sd
        0.5 and 99.5 percentile, mean and SD of the values: inside the regions (segment) or everywhere (classify).
    classes
        Names, background first for segment.
    counts
        Class to pixels (segment) or cases (classify).
    thickness
        Region to 2 area / perimeter in pixels of the images (segment, median over cases): the width of a band.
    multilabel, positive
        As in `Cases`.
    orientation
        Of the first volume, where it is known; grids and spacings are those of volumes turned to it.
    """

    task: str
    n: int
    rank: int
    channels: int
    grey: bool
    smallest: tuple[int, ...]
    median: tuple[int, ...]
    largest: tuple[int, ...]
    spacing: tuple[float, ...] | None
    varied: bool
    modality: str
    dtype: str
    low: float
    high: float
    mean: float
    sd: float
    classes: tuple[str, ...]
    counts: dict[str, int] = field(default_factory=dict)
    thickness: dict[str, float] = field(default_factory=dict)
    multilabel: bool = False
    positive: str | None = None
    orientation: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Fingerprint:
        """What `as_json` wrote; RecipeError for an unknown field."""
        made: Fingerprint = build(cls, dict(values), where="fingerprint.")
        return made


@dataclass(frozen=True)
class _Seen:
    """One case, looked at once."""

    image: Image
    grey: bool
    values: Array
    pixels: dict[str, int]
    thickness: dict[str, float]


def fingerprint(cases: Cases, task: str) -> Fingerprint:
    """Looks at every training case once.

    Parameters
    ----------
    cases
        The training cases, with truth.
    task
        ``"segment"`` or ``"classify"``.

    Raises
    ------
    InputError
        No cases, films, or images of two and of three axes, or of different numbers of channels, in one set.
    LabelError
        A case without truth, or a class without a single training example.
    """
    if not len(cases):
        raise InputError("there is nothing to learn from", where=cases.name, got="0 training cases")
    names = ("background", *cases.classes) if task == "segment" else cases.classes
    seen = [_seen(case, task, names) for case in cases]
    first = seen[0].image
    for what, found in (
        ("spatial axes", {s.image.ndim for s in seen}),
        ("channels", {_channels(s.image, s.grey) for s in seen}),
    ):
        if len(found) > 1:
            raise InputError(
                f"the images differ in {what}", where=cases.name, got=str(sorted(found)), wanted="one number"
            )
    orientation = first.geometry.orientation if first.ndim == 3 else None
    grids = [turned(s.image, orientation).geometry for s in seen]
    shapes = np.array([g.shape for g in grids])
    spacings = [g.spacing for g in grids]
    known = None if any(s is None for s in spacings) else np.array(spacings)
    median = None if known is None else np.median(known, axis=0)
    values = np.concatenate([s.values for s in seen]).astype(np.float64)
    low, high = (float(v) for v in np.percentile(values, [0.5, 99.5]))
    clipped = np.clip(values, low, high)
    counts = {n: sum(s.pixels.get(n, 0) for s in seen) for n in names}
    _all_present(counts, cases.name)
    return Fingerprint(
        task,
        len(seen),
        first.ndim,
        first.length("c"),
        all(s.grey for s in seen),
        _ints(shapes.min(0)),
        _ints(np.median(shapes, axis=0)),
        _ints(shapes.max(0)),
        None if median is None else tuple(round(float(v), 6) for v in median),
        known is not None and bool((np.abs(known / median - 1) > 0.01).any()),
        _agreed([s.image.modality or "" for s in seen]),
        _agreed([s.image.dtype for s in seen]),
        low,
        high,
        float(clipped.mean()),
        float(clipped.std()),
        names,
        counts,
        _median_thickness(seen),
        cases.multilabel,
        cases.positive,
        orientation,
    )


def _seen(case: Case, task: str, names: tuple[str, ...]) -> _Seen:
    image = case.image()
    array = image.channels_first()
    grey = len(array) == 1 or (len(array) == 3 and bool((array[0] == array[1]).all() and (array[0] == array[2]).all()))
    truth = case.truth()
    flat = array.reshape(len(array), -1)
    if task == "classify":
        if not isinstance(truth, Probabilities):
            raise LabelError("a training case has no class", where=case.id)
        return _Seen(
            image, grey, _thinned(flat), {c: int(v > 0.5) for c, v in zip(truth.classes, truth.values, strict=True)}, {}
        )
    if not isinstance(truth, Segmentation):
        raise LabelError("a training case has no label map", where=case.id)
    if truth.labels.shape != image.geometry.shape:
        raise LabelError(
            "labels lie on another grid", where=case.id, got=str(truth.labels.shape), wanted=str(image.geometry.shape)
        )
    counts = np.bincount(truth.labels.ravel(), minlength=256)
    inside = flat[:, ((truth.labels > 0) & (truth.labels != IGNORE)).ravel()]
    widths = {n: _thickness(truth.labels == i) for i, n in enumerate(names) if i and counts[i]}
    return _Seen(image, grey, _thinned(inside), {n: int(counts[i]) for i, n in enumerate(names)}, widths)


def _thickness(mask: Array) -> float:
    # 2 area / perimeter, the perimeter counted as half the crossings of pixel faces that are seen from both axes.
    faces = sum(int(np.count_nonzero(np.diff(mask.view(np.int8), axis=a))) for a in range(mask.ndim))
    return float(2.0 * mask.sum() / max(1.0, faces * (np.pi / 4 if mask.ndim == 2 else 2 / 3)))


def _thinned(flat: Array) -> Array:
    step = max(1, flat.shape[1] // SAMPLE)
    return flat[:, ::step].astype(np.float32).ravel()


def _channels(image: Image, grey: bool) -> int:
    return 1 if grey else image.length("c")


def _all_present(counts: Mapping[str, int], where: str) -> None:
    absent = [n for n, v in counts.items() if not v and n != "background"]
    if absent:
        raise LabelError(
            "a class has no training example",
            where=where,
            got=", ".join(absent),
            remedy="Give train a case of it, or leave the class out of the set",
        )


def _median_thickness(seen: list[_Seen]) -> dict[str, float]:
    names = sorted({n for s in seen for n in s.thickness})
    return {n: round(float(np.median([s.thickness[n] for s in seen if n in s.thickness])), 3) for n in names}


def _agreed(values: list[str]) -> str:
    return values[0] if len(set(values)) == 1 else ""


def _ints(values: Array) -> tuple[int, ...]:
    return tuple(int(v) for v in values)
