"""One row of numbers for one image: what a linear method looks at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from isocenter.data import Image, Plan
from isocenter.infer import prepare
from isocenter.ops import normalise
from isocenter.ops.array import Array
from isocenter.ops.resample import resize
from isocenter.ops.texture import first_order, texture


@dataclass(frozen=True)
class Features:
    """How a row is made.

    Parameters
    ----------
    size
        Grid of the thumbnail, array order.
    intensity
        Normalisation of the thumbnail's values: "standardise", "rescale", "window", "percentile" or "none".
    window
        Lowest and highest value of "window", in the image's unit.
    texture
        Whether first-order and co-occurrence features stand beside the thumbnail.
    """

    size: tuple[int, ...]
    intensity: str = "standardise"
    window: tuple[float, float] | None = None
    texture: bool = True

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Features:
        """The way back from `as_json`."""
        window = values["window"]
        return cls(
            tuple(values["size"]),
            str(values["intensity"]),
            None if window is None else (float(window[0]), float(window[1])),
            bool(values["texture"]),
        )

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    def pixels(self, plan: Plan) -> int:
        """How many features, the first ones, are the thumbnail."""
        return plan.channels * int(np.prod(self.size))

    def balance(self, plan: Plan, features: int) -> float:
        """What to divide standardised thumbnail features by, so that they vary as much in all as the others together.

        Hundreds of pixels would otherwise drown some forty features of intensity and texture under one penalty.
        """
        pixels = self.pixels(plan)
        return float(np.sqrt(pixels / (features - pixels))) if features > pixels else 1.0

    def row(self, image: Image, plan: Plan) -> Array:
        """float64 (d,): thumbnail of each channel; first-order features of each channel; texture of their mean.

        Parameters
        ----------
        image
            Of plan.rank axes.
        plan
            Names rank and channels; its normalisation is "none", so that first-order features keep the image's unit.

        Raises
        ------
        InputError
            As `infer.prepare`.
        """
        raw = prepare(image, plan).array
        parts = [self._thumbnail(raw, image.dtype).ravel()]
        if self.texture:
            parts += [first_order(channel) for channel in raw]
            parts.append(texture(raw.mean(axis=0)))
        return np.concatenate(parts).astype(np.float64)

    def _thumbnail(self, raw: Array, dtype: str) -> Array:
        small = resize(raw, self.size)
        if self.intensity == "standardise":
            return normalise.standardise(small)
        if self.intensity == "percentile":
            return normalise.percentile(small)
        if self.intensity == "rescale":
            return normalise.rescale(small, dtype)
        return normalise.window(small, *self.window) if self.window is not None else small
