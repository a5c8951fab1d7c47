"""The plan of a network: everything that decides its answer, as values that a person can read and edit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from isocenter.data.recipe import build


@dataclass(frozen=True)
class Normalisation:
    """How values become the network's input.

    Parameters
    ----------
    kind
        ``"standardise"`` (own mean and SD of each image and channel), ``"percentile"`` (own 0.5 and 99.5 percentiles to
        0..1, then mean 0.5 and SD 0.25 removed), ``"window"`` (`low`..`high` clipped, then `mean` and `sd` of train
        removed), ``"rescale"`` (divide by the range of the data type), ``"foreground"``, ``"clahe"`` (of each image by
        itself), ``"landmarks"`` (moved onto those of train; all as in `ops.harmonise`), ``"none"``.
    low, high, mean, sd
        Of ``"window"``; in the image's unit.
    landmarks
        Of ``"landmarks"``: for each channel the 11 numbers of `ops.harmonise.standard`.
    """

    kind: str = "standardise"
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    sd: float | None = None
    landmarks: tuple[float, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What a network sees and how its answers come back.

    Parameters
    ----------
    task
        Name of the question.
    rank
        2 or 3 spatial axes. A 3D case met by a network of rank 2 is answered slice by slice.
    channels
        Number of input channels. An image of one channel feeds a network of three by repetition, an image of three
        equal channels feeds a network of one by their mean; anything else is refused.
    classes
        Output names. segment: background first.
    spacing
        mm (or pixels of unknown size) per axis of the grid that the network works on; None: the image's own.
    orientation
        rank 3: what the network was trained on, such as ``"SPL"``; volumes whose orientation is known are turned to it
        and answers are turned back. None: as they lie.
    size
        Fixed grid that the whole image is resized to, or None. classify has a size or a spacing; segment may have both
        None.
    normalisation
        As in `Normalisation`.
    patch
        Window of one answer; images up to this size are answered whole, padded to `divisor`.
    divisor
        The grid must be a multiple of this per axis.
    overlap
        Share by which windows overlap; they are blended with Gaussian weights.
    mirror
        Axes (of z, y, x) whose mirrored answers are averaged.
    largest, smallest, fill
        As in `After`; resolved.
    multilabel
        classify: sigmoid instead of softmax.
    thresholds
        classify: probability per class from which it is decided for, chosen on val; empty: argmax / 0.5.
    positive
        classify with two classes: the one that `thresholds` is about.
    temperature
        Logits are divided by this; chosen on val.
    engine
        ``"onnxruntime"`` or ``"openvino"``.
    tolerance
        Largest difference of logits allowed against the stored vector.
    head
        Family of the answer where a task has several, such as ``"contours"``; "" for segment and classify.
    settings
        Numbers of that family: JSON-able.
    """

    task: str
    rank: int
    channels: int
    classes: tuple[str, ...]
    spacing: tuple[float, ...] | None = None
    size: tuple[int, ...] | None = None
    normalisation: Normalisation = field(default_factory=Normalisation)
    patch: tuple[int, ...] = ()
    divisor: tuple[int, ...] = ()
    overlap: float = 0.5
    mirror: tuple[str, ...] = ()
    largest: bool = False
    smallest: float = 0.0
    fill: bool = False
    multilabel: bool = False
    thresholds: tuple[float, ...] = ()
    positive: str | None = None
    temperature: float = 1.0
    engine: str = "onnxruntime"
    tolerance: float = 1e-3
    orientation: str | None = None
    head: str = ""
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """What learns and reads this answer: the head, or the task where it has none."""
        return self.head or self.task

    @property
    def outputs(self) -> int:
        """Channels of the network's answer: one a class, unless `settings` says otherwise."""
        return int(self.settings.get("outputs", len(self.classes)))

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Plan:
        """The plan that `as_json` wrote; RecipeError for an unknown field or a wrong type."""
        plan: Plan = build(cls, values, where="plan.")
        return plan

    def as_json(self) -> dict[str, Any]:
        """Plain values: what comes back from JSON is the same."""
        plain: dict[str, Any] = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}
        plain["normalisation"]["landmarks"] = list(self.normalisation.landmarks)
        return plain
