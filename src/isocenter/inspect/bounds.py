"""Read-outs of a region by bounds on its values: shares beyond them; of PET SUVmax, SUVpeak, MTV and TLG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isocenter.data import Image, Instances
from isocenter.errors import InputError
from isocenter.inspect.readout import Column
from isocenter.ops.array import Array
from isocenter.ops.uptake import SHARE, metabolic, peaks

SUV = "SUV"


@dataclass(frozen=True)
class Bounds:
    """What is read off by bounds.

    Parameters
    ----------
    below, above
        In the image's unit, such as -950 HU: the share of a region's pixels below, or above, each.
    suv
        Least SUV of the metabolic volume; None: a share of the region's maximum.
    share
        That share.
    uptake
        Whether uptake is asked for although the image does not say that its unit is SUV.
    """

    below: tuple[float, ...] = ()
    above: tuple[float, ...] = ()
    suv: float | None = None
    share: float = SHARE
    uptake: bool = False

    @property
    def limit(self) -> str:
        """The threshold of the metabolic volume, as part of a column's name: ``"41pct"`` or ``"suv4"``."""
        return f"{100 * self.share:g}pct" if self.suv is None else f"suv{self.suv:g}"

    def line(self) -> str:
        """The threshold in words."""
        bound = f"{100 * self.share:g} % of the region's SUVmax" if self.suv is None else f"SUV {self.suv:g}"
        return f"MTV and TLG are of the voxels at or above {bound}; SUVpeak is the highest mean in a sphere of 1 ml"


def is_uptake(image: Image | None, bounds: Bounds) -> bool:
    """Whether an image holds SUV: it says so, or nobody says otherwise and uptake was asked for.

    Raises
    ------
    InputError
        Uptake was asked for, of an image in another unit.
    """
    if image is None or image.unit == SUV:
        return image is not None
    if bounds.uptake and image.unit not in ("", "a.u."):
        raise InputError("uptake is read from standardised uptake values", where=image.name, got=image.unit,
                         wanted=SUV, remedy="Convert the image to SUV first")
    return bounds.uptake


def beyond(found: Instances, channel: Array, unit: str, bounds: Bounds) -> dict[str, Column]:
    """Shares of the pixels of each object below and above the bounds, as ``share_below_-950_HU``.

    Parameters
    ----------
    found
        Objects on the grid of the channel.
    channel
        Numbers (*grid).
    unit
        Of the values; "" for arbitrary ones.
    bounds
        Which.
    """
    columns: dict[str, Column] = {}
    name = unit.replace(".", "") or "au"
    inside = [np.asarray(channel[found.where(i)][mask], np.float64) for i, mask in enumerate(found.masks)]
    for side, limits in (("below", bounds.below), ("above", bounds.above)):
        for limit in limits:
            hits = [(v < limit if side == "below" else v > limit) for v in inside]
            columns[f"share_{side}_{limit:g}_{name}"] = np.asarray([float(h.mean()) for h in hits])
    return columns


def uptake(found: Instances, image: Image, channel: Array, bounds: Bounds) -> dict[str, Column]:
    """``suv_max``, ``suv_peak``, ``mtv_*_ml`` and ``tlg_*_g`` of each object; SUV is in g/ml, so that TLG is in g.

    Parameters
    ----------
    found
        Objects on the image's grid.
    image
        A volume of known spacing; of others SUVpeak, MTV and TLG are NaN.
    channel
        Its SUV (*grid).
    bounds
        The threshold.
    """
    grid = image.geometry
    known = grid.ndim == 3 and grid.spacing is not None
    rows = [_one(found, i, channel, bounds, grid.spacing if known else None) for i in range(len(found))]
    names = ("suv_max", "suv_peak", f"mtv_{bounds.limit}_ml", f"tlg_{bounds.limit}_g")
    table = np.asarray(rows, np.float64).reshape(-1, len(names))
    return {name: table[:, k] for k, name in enumerate(names)}


def _one(
    found: Instances, i: int, channel: Array, bounds: Bounds, spacing: Sequence[float] | None
) -> tuple[float, float, float, float]:
    where, mask = found.where(i), found.masks[i]
    values = np.asarray(channel[where][mask], np.float64)
    if not np.isfinite(values).all():
        return (np.nan,) * 4
    top = float(values.max())
    if spacing is None:
        return top, np.nan, np.nan, np.nan
    whole = np.zeros(channel.shape, bool)
    whole[where] = mask
    limit = bounds.share * top if bounds.suv is None else bounds.suv
    volume, glycolysis = metabolic(values, float(np.prod(spacing)) / 1000, limit=limit)
    return top, peaks(channel, whole, spacing)[0], volume, glycolysis
