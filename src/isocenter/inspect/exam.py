"""One pass over the pixels of a data set: checksums, thumbnails and ranges, so that nothing is decoded twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from isocenter import io
from isocenter.data import Cases, Entry, Image, Problem
from isocenter.errors import IsocenterError
from isocenter.inspect.pixels import pixel_sha256
from isocenter.inspect.thumbs import thumbnail
from isocenter.io import npz
from isocenter.ops.array import Array

# An array of an archive is read whole, once for all its items, up to this size.
WHOLE = 2 << 30


@dataclass(frozen=True)
class Glimpse:
    """What one look at the leading image of a case found.

    Parameters
    ----------
    sha
        Checksum of the pixels (`pixel_sha256`).
    shape, axes, spacing, dtype, modality
        As the image says.
    low, high
        Smallest and largest finite value; None where there is none.
    infinite
        Number of values that are NaN or infinite.
    thumb
        As `thumbs.thumbnail` makes it; None for constant images, and where none was asked for.
    """

    sha: str
    shape: tuple[int, ...]
    axes: str
    spacing: tuple[float, ...] | None
    dtype: str
    modality: str | None
    low: float | None
    high: float | None
    infinite: int
    thumb: Array | None = None


@dataclass(frozen=True)
class Exam:
    """The pass over one set: a glimpse per case (None where the image could not be read), and what was wrong."""

    cases: Cases
    glimpses: tuple[Glimpse | None, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def fingerprint(self) -> dict[str, str]:
        """Id to checksum of the pixels, of every case that could be read."""
        return {e.id: g.sha for e, g in zip(self.cases.entries, self.glimpses, strict=True) if g}


def examine(cases: Cases, *, thumbs: bool = True) -> Exam:
    """Reads every leading image once.

    Parameters
    ----------
    thumbs
        Make thumbnails for finding near copies.
    """
    glimpses: list[Glimpse | None] = []
    problems: list[Problem] = []
    for _, image, array in each_image(cases, problems):
        glimpses.append(None if image is None or array is None else _glimpse(image, array, thumbs))
    return Exam(cases, tuple(glimpses), tuple(problems))


def each_image(cases: Cases, problems: list[Problem]) -> Iterator[tuple[Entry, Image | None, Array | None]]:
    """Every entry with its leading image and pixels; None, and a problem, for those that cannot be read."""
    held = _Held()
    for entry in cases.entries:
        try:
            image = entry.open().image()
            array = held.pixels(image)
        except IsocenterError as error:
            problems.append(Problem.of(error, entry.id))
            yield entry, None, None
        else:
            yield entry, image, array


class _Held:
    """The array of an archive that the last image came from: its items are not inflated one by one."""

    def __init__(self) -> None:
        self._key = ""
        self._array: Array | None = None

    def pixels(self, image: Image) -> Array:
        place = npz.place(image.name)
        if place is None or place.index is None or place.path.suffix.lower() != ".npz":
            return image.pixels()
        key = f"{place.path}#{place.name}"
        if key != self._key:
            self._key, self._array = key, None
            if npz.stored(npz.Place(place.path, place.name)).size <= WHOLE:
                self._array = io.array_at(key)
        if self._array is None:
            return image.pixels()
        item = self._array[place.index]
        if item.shape != image.shape and np.moveaxis(item, -1, 0).shape == image.shape:
            item = np.moveaxis(item, -1, 0)
        item = item.astype(np.uint8) if item.dtype == bool else item
        return item if item.shape == image.shape else image.pixels()


def _glimpse(image: Image, array: Array, thumbs: bool) -> Glimpse:
    finite = array
    infinite = 0
    if array.dtype.kind == "f":
        mask = np.isfinite(array)
        infinite = int(array.size - mask.sum())
        finite = array[mask] if infinite else array
    known = finite.size > 0
    held = image.replaced(lambda: array)
    return Glimpse(
        pixel_sha256(held), image.shape, image.axes, image.geometry.spacing, image.dtype, image.modality,
        float(finite.min()) if known else None, float(finite.max()) if known else None, infinite,
        thumbnail(image, array) if thumbs else None,
    )


def fingerprint(cases: Cases) -> dict[str, str]:
    """Id to checksum of the pixels of the leading image; cases that cannot be read are left out."""
    return examine(cases, thumbs=False).fingerprint
