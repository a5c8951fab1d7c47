"""One row of numbers for one image: what methods without a network of their own look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from isocenter.data import Case, Image, NotEvaluated, Plan
from isocenter.errors import InputError
from isocenter.infer import prepare
from isocenter.infer.preparing import unusable
from isocenter.ops import harmonise, normalise
from isocenter.ops.array import Array
from isocenter.ops.radiomics import radiomics
from isocenter.ops.resample import resize
from isocenter.ops.texture import LARGEST, averaged, first_order, texture

THUMBNAIL, RADIOMICS, BOTH = KINDS = ("thumbnail", "radiomics", "both")
# Edge of the thumbnail by number of axes.
SIZES = {2: 24, 3: 8}


@dataclass(frozen=True)
class Features:
    """How a row is made.

    Parameters
    ----------
    size
        Grid of the thumbnail, array order.
    intensity
        Normalisation of the thumbnail's values: "standardise", "foreground", "rescale", "window", "percentile" or
        "none".
    window
        Lowest and highest value of "window", in the image's unit.
    texture
        Whether first-order and co-occurrence features stand beside the thumbnail.
    kind
        "thumbnail" (with or without `texture`), "radiomics" (the IBSI's intensity, histogram, texture and, of a region,
        shape features of each channel, 32 grey levels), or "both".
    region
        Role of a mask whose region (values above 0) the radiomics features are of; "": the whole image, averaged down
        to at most 256 pixels an axis (64 in 3D).
    """

    size: tuple[int, ...]
    intensity: str = "standardise"
    window: tuple[float, float] | None = None
    texture: bool = True
    kind: str = THUMBNAIL
    region: str = ""

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Features:
        """The way back from `as_json`."""
        window = values["window"]
        return cls(
            tuple(values["size"]),
            str(values["intensity"]),
            None if window is None else (float(window[0]), float(window[1])),
            bool(values["texture"]),
            str(values.get("kind", THUMBNAIL)),
            str(values.get("region", "")),
        )

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    def pixels(self, plan: Plan) -> int:
        """How many features, the first ones, are the thumbnail."""
        return 0 if self.kind == RADIOMICS else plan.channels * int(np.prod(self.size))

    def balance(self, plan: Plan, features: int) -> float:
        """What to divide standardised thumbnail features by, so that they vary as much in all as the others together.

        Hundreds of pixels would otherwise drown some forty features of intensity and texture under one penalty.
        """
        pixels = self.pixels(plan)
        return float(np.sqrt(pixels / (features - pixels))) if features > pixels else 1.0

    def of(self, case: Case, plan: Plan) -> Array | NotEvaluated:
        """The row of the case's leading image; NotEvaluated where pixels are not finite or the region is empty.

        Raises
        ------
        NotFoundError
            The case has no image, or no mask of the role `region`.
        InputError
            As `row`.
        """
        image = case.image()
        lack = unusable(image.channels_first())
        if lack is not None:
            return lack
        mask = None
        if self.region and self.kind != THUMBNAIL:
            mask = case.image(self.region).channels_first().max(axis=0) > 0
            if not mask.any():
                return NotEvaluated(f"the region {self.region} is empty", "no pixel", "at least one")
        return self.row(image, plan, mask=mask)

    def row(self, image: Image, plan: Plan, *, mask: Array | None = None) -> Array:
        """float64 (d,): thumbnail of each channel; first-order features of each channel; texture of their mean.

        Or instead of them, or after them, the radiomics features of each channel; what is undefined counts as 0.

        Parameters
        ----------
        image
            Of plan.rank axes.
        plan
            Names rank and channels; its normalisation is "none", so that first-order features keep the image's unit.
        mask
            bool (*grid): the region of the radiomics features; None: the whole image, without shape.

        Raises
        ------
        InputError
            As `infer.prepare`, or the mask lies on another grid.
        """
        raw = prepare(image, plan).array
        parts: list[Array] = []
        if self.kind != RADIOMICS:
            parts.append(self._thumbnail(raw, image.dtype).ravel())
        if self.kind != RADIOMICS and self.texture:
            parts += [first_order(channel) for channel in raw]
            parts.append(texture(raw.mean(axis=0)))
        if self.kind != THUMBNAIL:
            parts += [_radiomics(channel, mask, image) for channel in raw]
        return np.concatenate(parts).astype(np.float64)

    def _thumbnail(self, raw: Array, dtype: str) -> Array:
        small = resize(raw, self.size)
        if self.intensity == "standardise":
            return normalise.standardise(small)
        if self.intensity == "foreground":
            return harmonise.foreground(small)
        if self.intensity == "percentile":
            return normalise.percentile(small)
        if self.intensity == "rescale":
            return normalise.rescale(small, dtype)
        return normalise.window(small, *self.window) if self.window is not None else small


def _radiomics(channel: Array, mask: Array | None, image: Image) -> Array:
    if mask is None:
        small = averaged(channel, [-(-s // LARGEST[channel.ndim]) for s in channel.shape])
        found = radiomics(small, np.ones(small.shape, bool), shape=False)
    else:
        if mask.shape != channel.shape:
            raise InputError("the region lies on another grid", where=image.name, got=str(mask.shape),
                             wanted=str(channel.shape), remedy="Bring the mask onto the image's grid")
        found = radiomics(channel, mask, spacing=image.geometry.spacing)
    values = np.asarray(list(found.values()))
    return np.where(np.isfinite(values), values, 0.0)


def features_of(recipe: Any, plan: Plan) -> Features:
    """The features that a recipe of a method without a network asks for, in the plan's number of axes."""
    size = (recipe.size or SIZES[plan.rank],) * plan.rank
    before, texture = recipe.before, getattr(recipe, "texture", True)
    return Features(size, before.intensity or "standardise", before.window, texture, recipe.features, recipe.region)
