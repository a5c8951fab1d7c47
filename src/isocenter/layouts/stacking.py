"""Several images of one grid as one: channels, or the frames of a film."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isocenter.data import Image, Source
from isocenter.errors import GeometryError
from isocenter.ops.array import Array


def stacked(images: Sequence[Image], axis: str, *, channels: tuple[str, ...] = ()) -> Image:
    """One image with a new axis; pixels are read when asked for.

    Parameters
    ----------
    images
        In order, on one grid, without that axis.
    axis
        ``"c"`` or ``"t"``.
    channels
        Names when `axis` is ``"c"``.

    Raises
    ------
    GeometryError
        The images differ in shape or position; names the first that does.
    """
    first = images[0]
    for other in images[1:]:
        if other.axes != first.axes or other.shape != first.shape or not first.geometry.same_grid(other.geometry):
            raise GeometryError(
                "files of one case lie on different grids", where=other.name, got=f"{other.axes} {other.shape}",
                wanted=f"{first.axes} {first.shape} as {first.name}",
            )
    at = sum(a in first.axes for a in "tczyx"[: "tczyx".index(axis)])
    return Image(
        _Stack(tuple(images), axis, at),
        (*first.shape[:at], len(images), *first.shape[at:]),
        first.axes[:at] + axis + first.axes[at:],
        str(np.result_type(*(np.dtype(i.dtype) for i in images))),
        first.geometry,
        channels or first.channels,
        None,
        first.modality,
        first.unit,
        Source(tuple(f for i in images for f in i.source.files), first.source.format, first.source.identifiers),
    )


@dataclass(frozen=True)
class _Stack:
    """Reads all images, or one of them alone (`isocenter.data.cut.take` asks for it)."""

    images: tuple[Image, ...]
    axis: str
    at: int

    def __call__(self) -> Array:
        return np.stack([image.pixels() for image in self.images], axis=self.at)

    def piece(self, axis: str, index: int) -> Array | None:
        """The pixels of one image, where it is along this axis that they are stacked."""
        return self.images[index].pixels() if axis == self.axis else None
