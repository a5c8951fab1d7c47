"""What images a method was trained on: what lies outside is not answered."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from isocenter.data import Image, NotEvaluated
from isocenter.data.turning import turned
from isocenter.errors import BundleError
from isocenter.ops.appearance import appearance, spread
from isocenter.ops.array import Array
from isocenter.ops.covariance import distances

OUTSIDE = "the image lies outside what the method was trained on"
PREFIX = "envelope/"
ARRAYS = ("mean", "scale", "white")
# Codes of plain X-rays: files and tables name the same pictures differently.
PLAIN = {"CR": "XR", "DX": "XR", "RG": "XR"}
# A pixel may be so many times smaller or larger than any of train; values may leave its range by so many widths.
COARSER, WIDER = 2.0, 1.0
SLICES = 5


@dataclass(frozen=True, eq=False)
class Envelope:
    """The images of train, as far as an answer depends on their being alike.

    Parameters
    ----------
    rank
        Spatial axes, 2 or 3. A volume met by an envelope of flat images is judged by some of its slices.
    modalities
        Codes seen; empty where none was known.
    pixel
        Least and greatest pixel in mm (geometric mean of the axes); None where one was unknown.
    values
        Least and greatest value (0.5 and 99.5 percentiles); None where the method does not look at absolute values.
    orientation
        Of volumes: what they are turned to first, where theirs is known, such as ``"SPL"``; None: as they lie.
    by_type
        Values are shares of the largest value of the pixel type.
    limit
        Distance from which on an image lies outside; None where there were too few images to set one.
    facts
        How the limit was set, for people: ``n_train``, ``n_limit``, ``from``, ``refused``.
    arrays
        ``mean``, ``scale`` (d,) and ``white`` (d, d), float32: as `ops.appearance` and `ops.covariance` say.
    """

    rank: int
    modalities: tuple[str, ...] = ()
    pixel: tuple[float, float] | None = None
    values: tuple[float, float] | None = None
    orientation: str | None = None
    by_type: bool = False
    limit: float | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, Array] = field(default_factory=dict)

    def refused(self, image: Image) -> NotEvaluated | None:
        """Why an image lies outside; None where it does not, or where it cannot be judged: a film, NaN, another rank.

        Reads the pixels. What cannot be judged is left to the method, which says what is wrong with it.
        """
        if "t" in image.axes or image.ndim < self.rank:
            return None
        array = turned(image, self.orientation).channels_first()
        if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
            return None
        ends = spread(array)
        if ends is None:
            return NotEvaluated(f"{OUTSIDE}: it is blank", "one value", "a picture")
        # Every reason is false in a condition, so they are asked for by identity, the cheapest first.
        for found in (self._modality(image), self._pixel(image), self._values(image, ends)):
            if found is not None:
                return found
        found = self._look(array)
        if found is None or image.ndim == self.rank:
            return found
        return replace(found, reason=f"{found.reason}, a volume where train had images of {self.rank} axes")

    def strangeness(self, image: Image) -> float | None:
        """How far an image is from those of train, as a share of the limit: above 1 it is refused.

        Infinite where something else than its look refuses it (blank, modality, pixel size, values); None where it
        cannot be judged, as in `refused`, or where there is no limit.
        """
        if self.limit is None or "t" in image.axes or image.ndim < self.rank:
            return None
        array = turned(image, self.orientation).channels_first()
        if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
            return None
        ends = spread(array)
        if ends is None:
            return math.inf
        if any(f is not None for f in (self._modality(image), self._pixel(image), self._values(image, ends))):
            return math.inf
        found = self.distance(array)
        return None if found is None else found / self.limit

    def distance(self, array: Array) -> float | None:
        """How far the look of pixels (c, *grid) is from that of train, about 1 inside; None where it has no look.

        Raises
        ------
        BundleError
            The arrays of the envelope do not fit.
        """
        seen = looks(array, self.rank)
        if not seen or self.limit is None:
            return None
        mean, scale, white = (np.asarray(self.arrays[name], np.float64) for name in ARRAYS)
        if seen[0].shape != mean.shape:
            raise BundleError("the envelope is for other features", got=str(mean.shape), wanted=str(seen[0].shape))
        return float(np.median(distances((np.stack(seen) - mean) / scale, white)))

    def as_json(self) -> dict[str, Any]:
        """Plain values, without the arrays."""
        return {
            "rank": self.rank, "modalities": list(self.modalities), "pixel": self.pixel and list(self.pixel),
            "values": self.values and list(self.values), "orientation": self.orientation, "by_type": self.by_type,
            "limit": self.limit, "facts": dict(self.facts),
        }

    def state(self) -> dict[str, Array]:
        """Its arrays by the names that a bundle gives them."""
        return {PREFIX + name: array for name, array in self.arrays.items()}

    @classmethod
    def from_state(cls, values: Mapping[str, Any], state: Mapping[str, Array]) -> Envelope:
        """The way back from `as_json` and `state`; BundleError where they contradict each other."""
        arrays = {name: state[PREFIX + name] for name in ARRAYS if PREFIX + name in state}
        try:
            limit, lies = values["limit"], values.get("orientation")
            made = cls(
                int(values["rank"]), tuple(map(str, values["modalities"])), _pair(values["pixel"]),
                _pair(values["values"]), None if lies is None else str(lies), bool(values["by_type"]),
                None if limit is None else float(limit), dict(values["facts"]), arrays,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError("the envelope cannot be read", got=repr(error)) from error
        if made.limit is not None and not made._sound():
            raise BundleError("the arrays of the envelope do not fit", got=str({k: v.shape for k, v in arrays.items()}))
        return made

    def _sound(self) -> bool:
        if set(self.arrays) != set(ARRAYS) or not math.isfinite(self.limit or 0.0):
            return False
        d = len(self.arrays["mean"])
        shapes = [self.arrays[name].shape for name in ARRAYS]
        finite = all(a.dtype.kind == "f" and np.isfinite(a).all() for a in self.arrays.values())
        return shapes == [(d,), (d,), (d, d)] and finite and bool((self.arrays["scale"] > 0).all())

    def _modality(self, image: Image) -> NotEvaluated | None:
        code = modality(image)
        if not self.modalities or code is None or code in self.modalities:
            return None
        return NotEvaluated(f"{OUTSIDE}: another modality", code, ", ".join(self.modalities))

    def _pixel(self, image: Image) -> NotEvaluated | None:
        own = pixel(image)
        if self.pixel is None or own is None or self.pixel[0] / COARSER <= own <= self.pixel[1] * COARSER:
            return None
        limit = f"{self.pixel[0] / COARSER:.3g} to {self.pixel[1] * COARSER:.3g} mm"
        return NotEvaluated(f"{OUTSIDE}: another pixel size", f"{own:.3g} mm", limit)

    def _values(self, image: Image, ends: tuple[float, float]) -> NotEvaluated | None:
        if self.values is None:
            return None
        low, high = self.values
        most = (high - low) * WIDER
        own = scaled(ends, image.dtype, by_type=self.by_type)
        if own[0] >= low - most and own[1] <= high + most:
            return None
        limit = f"{low - most:.4g} to {high + most:.4g}"
        return NotEvaluated(f"{OUTSIDE}: another range of values", f"{own[0]:.4g} to {own[1]:.4g}", limit)

    def _look(self, array: Array) -> NotEvaluated | None:
        found = self.distance(array)
        if found is None or self.limit is None or found <= self.limit:
            return None
        return NotEvaluated(f"{OUTSIDE}: it looks different", f"distance {found:.2f}", f"{self.limit:.2f}")


def modality(image: Image) -> str | None:
    """The image's modality, one code for all plain X-rays."""
    return PLAIN.get(image.modality, image.modality) if image.modality else None


def pixel(image: Image) -> float | None:
    """Geometric mean of the spacing in mm; None where it is unknown."""
    spacing = image.geometry.spacing
    return None if spacing is None else float(np.exp(np.mean(np.log(spacing))))


def scaled(ends: tuple[float, float], dtype: str, *, by_type: bool) -> tuple[float, float]:
    """Values as they are, or as shares of the largest of their type."""
    kind = np.dtype(dtype)
    if not by_type or kind.kind not in "iu":
        return ends
    most = float(np.iinfo(kind).max)
    return ends[0] / most, ends[1] / most


def looks(array: Array, rank: int) -> list[Array]:
    """Features of pixels (c, *grid): one row, or of a volume for an envelope of flat images one for some slices each.

    Blank pictures have none.
    """
    flat = array.ndim == 4 and rank == 2
    found = [appearance(array[:, i]) for i in _slices(array.shape[1])] if flat else [appearance(array)]
    return [row for row in found if row is not None]


def _slices(n: int) -> list[int]:
    """Some slices of the middle 3 / 5 of a volume."""
    return sorted({int(i) for i in np.linspace(n * 0.2, max(n * 0.8 - 1, n * 0.2), SLICES)})


def _pair(values: Any) -> tuple[float, float] | None:
    if values is None:
        return None
    low, high = map(float, values)
    return low, high
