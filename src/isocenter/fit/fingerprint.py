"""What the training cases are like: the facts that the plan is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from isocenter.data import Case, Cases, Image, build
from isocenter.data.turning import turned
from isocenter.errors import InputError, LabelError
from isocenter.fit import questions
from isocenter.fit.questions.question import Looked
from isocenter.ops.array import Array
from isocenter.ops.harmonise import landmarks, standard

# Values per image, and of all images together, that enter the intensity statistics; objects whose size is kept.
SAMPLE, VALUES, OBJECTS = 20000, 5_000_000, 2000


@dataclass(frozen=True)
class Fingerprint:
    """Facts about one set of training cases.

    Parameters
    ----------
    task
        Name of the question.
    n
        Cases with truth.
    rank
        Spatial axes, 2 or 3.
    channels
        Of the stored images.
    grey
        All images have one channel, or three that are equal. Where only some have, they count as three channels.
    smallest, median, largest
        Grid per axis over all cases (array order).
    spacing
        Median mm per axis, or None where any case lacks it.
    varied
        Whether the spacing differs by more than 1 % between cases.
    modality, dtype
        As all images say; "" where they differ or do not say.
    low, high, mean, sd
        0.5 and 99.5 percentile, mean and SD of the values: inside the regions (segment) or everywhere.
    classes
        Names, background first where the network has such an output.
    counts
        Class to pixels (segment), cases (classify) or objects.
    thickness
        Region to 2 area / perimeter in pixels of the images (segment, median over cases): the width of a band.
    multilabel, positive
        As in `Cases`.
    orientation
        Of the first volume, where it is known; grids and spacings are those of volumes turned to it.
    head
        As in `Plan`.
    sizes
        Extent in pixels of at most 2000 objects, evenly thinned, axes in array order.
    unlabelled
        Cases without truth beside them; grids, spacings, channels and modality are those of all.
    pixels
        Of one image, mean over all cases.
    numbers
        regress: ``mean``, ``sd``, ``low``, ``high`` of the truths, and their ``unit``; empty for other questions.
    landmarks
        For each channel the standard scale of `ops.harmonise`, from all cases.
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
    head: str = ""
    sizes: tuple[tuple[float, ...], ...] = ()
    unlabelled: int = 0
    pixels: int = 0
    numbers: dict[str, Any] = field(default_factory=dict)
    landmarks: tuple[float, ...] = ()

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
    truth: Looked
    landmarks: Array


def fingerprint(cases: Cases, task: str, *, head: str = "") -> Fingerprint:
    """Looks at every training case once.

    Parameters
    ----------
    cases
        The training cases, with truth but for those that are marked as unlabelled.
    task
        Name of the question.
    head
        As in `Plan`.

    Raises
    ------
    InputError
        No cases, films, or images of two and of three axes, or of different numbers of channels, in one set.
    LabelError
        A case without truth, or a class without a single training example.
    """
    n = len(cases.labelled)
    if not n:
        raise InputError("there is nothing to learn from", where=cases.name, got="0 training cases")
    question = questions.of(head or task)
    names = question.names(cases)
    seen = [
        _seen(case, _nothing(case) if entry.unlabelled else question.looked(case, names), VALUES // len(cases))
        for entry, case in zip(cases.entries, cases, strict=True)
    ]
    first = seen[0].image
    channels = {_channels(s.image, s.grey) for s in seen}
    for what, found in (("spatial axes", {s.image.ndim for s in seen}), ("channels", channels)):
        # Grey pictures among colour ones are seen as colour.
        if len(found) > 1 and not (what == "channels" and found == {1, 3}):
            raise InputError(
                f"the images differ in {what}", where=cases.name, got=str(sorted(found)), wanted="one number"
            )
    orientation = first.geometry.orientation if first.ndim == 3 else None
    grids = [turned(s.image, orientation).geometry for s in seen]
    shapes = np.array([g.shape for g in grids])
    spacings = [g.spacing for g in grids]
    known = None if any(s is None for s in spacings) else np.array(spacings)
    median = None if known is None else np.median(known, axis=0)
    counts = {n: sum(s.truth.counts.get(n, 0) for s in seen) for n in names}
    # Before statistics inside regions, of which there may be none.
    _all_present(counts if question.every_class else {}, cases.name)
    values = np.concatenate([s.values for s in seen]).astype(np.float64)
    low, high = (float(v) for v in np.percentile(values, [0.5, 99.5]))
    clipped = np.clip(values, low, high)
    return Fingerprint(
        task,
        n,
        first.ndim,
        max(s.image.length("c") for s in seen) if len(channels) > 1 else first.length("c"),
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
        head,
        _sizes(seen),
        len(seen) - n,
        round(float(shapes.prod(1).mean())),
        _numbers(seen), landmarks=_scales(seen),
    )


def _nothing(case: Case) -> Looked:
    """What is known about a case without truth; its values stay out of statistics that are taken inside regions."""
    return Looked({}, np.zeros(case.image().geometry.shape, bool))


def _seen(case: Case, truth: Looked, most: int) -> _Seen:
    image = case.image()
    array = image.channels_first()
    grey = len(array) == 1 or (len(array) == 3 and bool((array[0] == array[1]).all() and (array[0] == array[2]).all()))
    flat = array.reshape(len(array), -1)
    there = flat if truth.inside is None else flat[:, truth.inside.ravel()]
    # What lies inside is not kept: it is as large as the image.
    few = flat[: 1 if grey else None, :: max(1, flat.shape[1] // SAMPLE)]
    marks = np.stack([landmarks(channel) for channel in few])
    return _Seen(image, grey, _thinned(there, most // len(array)), replace(truth, inside=None), marks)


def _thinned(flat: Array, most: int) -> Array:
    step = max(1, flat.shape[1] // min(SAMPLE, max(1, most)))
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
    found = [s.truth.thickness for s in seen]
    names = sorted({n for widths in found for n in widths})
    return {n: round(float(np.median([w[n] for w in found if n in w])), 3) for n in names}


def _sizes(seen: list[_Seen]) -> tuple[tuple[float, ...], ...]:
    found = [s.truth.sizes for s in seen if s.truth.sizes is not None and len(s.truth.sizes)]
    if not found:
        return ()
    rows = np.concatenate(found)
    return tuple(tuple(round(float(v), 2) for v in row) for row in rows[:: -(-len(rows) // OBJECTS)])


def _numbers(seen: list[_Seen]) -> dict[str, Any]:
    found = [s.truth.number for s in seen if s.truth.number is not None]
    if not found:
        return {}
    numbers = np.array([v.number for v in found])
    return {
        "mean": float(numbers.mean()), "sd": float(numbers.std()), "low": float(numbers.min()),
        "high": float(numbers.max()), "unit": _agreed([v.unit for v in found]),
    }  # fmt: skip


def _scales(seen: list[_Seen]) -> tuple[float, ...]:
    """Of grey pictures among colour ones the one channel stands for each."""
    channels = max(len(s.landmarks) for s in seen)
    every = np.stack([np.broadcast_to(s.landmarks, (channels, s.landmarks.shape[1])) for s in seen])
    return tuple(round(float(v), 6) for channel in range(channels) for v in standard(every[:, channel]))


def _agreed(values: list[str]) -> str:
    return values[0] if len(set(values)) == 1 else ""


def _ints(values: Array) -> tuple[int, ...]:
    return tuple(int(v) for v in values)
