"""The IBSI's features of objects as a table: intensity, histogram, texture and shape, a row an object and channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from isocenter.data import Image, Instances
from isocenter.errors import InputError
from isocenter.inspect.readout import Readout, plain
from isocenter.ops.array import Array
from isocenter.ops.grey_levels import MOST_LEVELS as MOST_LEVELS
from isocenter.ops.radiomics import BINS, radiomics


@dataclass(frozen=True)
class Levels:
    """How intensities become grey levels.

    Parameters
    ----------
    bins
        Levels between the least and the greatest value of each object.
    width
        Width of a level in the image's unit, from its multiple below the least value; wins over `bins`.
    """

    bins: int = BINS
    width: float | None = None

    def line(self) -> str:
        """The levels in words."""
        how = f"{self.bins} grey levels an object" if self.width is None else f"grey levels {self.width:g} wide"
        return f"radiomics by the IBSI's definitions: {how}, directions averaged, pixels as they lie"


def featured(found: Instances, image: Image, levels: Levels, *, ids: Array | None = None) -> Readout:
    """A row an object and channel.

    Parameters
    ----------
    found
        On the image's grid.
    image
        Without frames; its spacing gives the shape in mm, else it is in px.
    levels
        How texture is discretised.
    ids
        int64 (n,): numbers of the objects; default from 1.

    Raises
    ------
    InputError
        The image lies on another grid, an object holds values that are not finite, or there are too many levels.
    """
    from isocenter.inspect.measuring import channels_of

    if image.geometry.shape != found.geometry.shape:
        raise InputError("objects and image lie on different grids", where=image.name, got=str(image.geometry.shape),
                         wanted=str(found.geometry.shape))
    rows: list[dict[str, Any]] = []
    names = channels_of(image)
    for name, channel in zip(names, image.channels_first(), strict=True):
        for i in range(len(found)) if name != "alpha" else ():
            number = i + 1 if ids is None else int(ids[i])
            first = {"id": number, "class": found.classes[int(found.labels[i])]}
            made = radiomics(
                np.asarray(channel[found.where(i)]), found.masks[i], spacing=image.geometry.spacing, bins=levels.bins,
                width=levels.width,
            )  # fmt: skip
            several = {"channel": name} if len(names) > 1 else {}
            rows.append({**first, **several, **{k: plain(v) for k, v in made.items()}})
    return Readout(tuple(rows[0]) if rows else ("id", "class"), tuple(rows))
