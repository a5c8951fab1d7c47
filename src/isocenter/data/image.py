"""An image: named axes, geometry, unit and origin; its pixels are read when asked for and never kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from isocenter.data.geometry import Geometry
from isocenter.errors import InputError
from isocenter.ops.array import Array

SPATIAL = "zyx"
EMPTY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Source:
    """What made an image: enough to name it again, never printed with patient identifiers.

    Parameters
    ----------
    files
        Paths as given, in slice order; empty for arrays in memory.
    format
        Such as ``"nifti"``, ``"dicom"``, ``"png"``, ``"array"``.
    identifiers
        Such as ``{"SeriesInstanceUID": ...}``; for work at home, reports show keyed hashes.
    transfer_syntax
        UID of the DICOM transfer syntax, or "".
    """

    files: tuple[str, ...] = ()
    format: str = "array"
    identifiers: Mapping[str, str] = field(default_factory=dict)
    transfer_syntax: str = ""


@dataclass(frozen=True)
class Image:
    """Pixels with named axes.

    Parameters
    ----------
    load
        Reads the pixels; called anew by every `pixels()`.
    shape
        Length of each axis of `axes`.
    axes
        A subsequence of ``"tczyx"`` that ends in ``"yx"``: ``"yx"``, ``"cyx"``, ``"zyx"``, ``"tzyx"``, ``"czyx"`` ...
    dtype
        numpy name of the pixel type, such as ``"int16"``.
    geometry
        Of the spatial axes.
    channels
        A name per channel when there is an axis ``c``.
    times
        Seconds per frame when there is an axis ``t`` and the times are known.
    modality
        DICOM's code where one fits ("CT", "MR", "PT", "NM", "US", "XR", "OP" fundus, "SM" slide), or None.
    unit
        Of the pixel values: "HU", "SUV", "a.u." or "".

    Raises
    ------
    InputError
        Axes, shape, channels, times or geometry contradict each other.
    """

    load: Callable[[], Array]
    shape: tuple[int, ...]
    axes: str
    dtype: str
    geometry: Geometry
    channels: tuple[str, ...] = ()
    times: tuple[float, ...] | None = None
    modality: str | None = None
    unit: str = ""
    source: Source = field(default_factory=Source)

    def __post_init__(self) -> None:
        legal = [a for a in "tczyx" if a in self.axes]
        if list(self.axes) != legal or not self.axes.endswith("yx") or len(self.shape) != len(self.axes):
            raise InputError(
                "axes do not fit", got=f"{self.axes!r} {self.shape}", wanted="a part of tczyx, one length each"
            )
        if min(self.shape) < 1:
            raise InputError("the image is empty", got=str(self.shape))
        spatial = tuple(s for a, s in zip(self.axes, self.shape, strict=True) if a in SPATIAL)
        if spatial != self.geometry.shape:
            raise InputError("geometry and pixels differ", got=str(self.geometry.shape), wanted=str(spatial))
        if self.channels and len(self.channels) != self.length("c"):
            raise InputError("channel names do not fit", got=str(len(self.channels)), wanted=str(self.length("c")))
        if self.times is not None and len(self.times) != self.length("t"):
            raise InputError("frame times do not fit", got=str(len(self.times)), wanted=str(self.length("t")))

    @classmethod
    def from_array(
        cls,
        array: Array,
        *,
        axes: str | None = None,
        spacing: tuple[float, ...] | None = None,
        geometry: Geometry | None = None,
        modality: str | None = None,
        unit: str = "",
        channels: tuple[str, ...] = (),
    ) -> Image:
        """An image around an array in memory.

        Parameters
        ----------
        array
            Numbers with the axes named by `axes`; default "yx" for two and "zyx" for three axes.
        spacing
            mm per spatial axis in array order; None when unknown.
        geometry
            Wins over `spacing`.

        >>> Image.from_array(np.zeros((4, 5)), spacing=(2.0, 1.0)).geometry.spacing
        (2.0, 1.0)
        """
        array = np.asarray(array)
        axes = axes or {2: "yx", 3: "zyx"}.get(array.ndim, "")
        if not axes:
            raise InputError("the axes are not stated", got=f"{array.ndim} axes", remedy="Pass axes='cyx' or the like")
        grid = tuple(s for a, s in zip(axes, array.shape, strict=False) if a in SPATIAL)
        geometry = geometry or Geometry.from_spacing(grid, spacing)
        return cls(lambda: array, array.shape, axes, str(array.dtype), geometry, channels, None, modality, unit)

    def pixels(self) -> Array:
        """The pixels, read now, with the shape and axes declared; InputError when the file holds another shape."""
        array = self.load()
        if array.shape != self.shape:
            raise InputError(
                "the file holds another shape", where=self.name, got=str(array.shape), wanted=str(self.shape)
            )
        return array

    def length(self, axis: str) -> int:
        """Number of pixels, channels or frames along one named axis; 1 where there is none."""
        return self.shape[self.axes.index(axis)] if axis in self.axes else 1

    def replaced(self, load: Callable[[], Array], **fields: object) -> Image:
        """This image with other pixels and, where named, other fields."""
        return replace(self, load=load, **fields)  # type: ignore[arg-type]

    @property
    def ndim(self) -> int:
        """Number of spatial axes, 2 or 3."""
        return self.geometry.ndim

    @property
    def name(self) -> str:
        """The file it came from, for messages."""
        return self.source.files[0] if self.source.files else "array"

    def channels_first(self) -> Array:
        """Pixels as (c, [z,] y, x); InputError for films, which are cut into frames first."""
        array = self.still().pixels()
        return array if "c" in self.axes else array[None]

    def still(self) -> Image:
        """This image, unread; InputError for a film."""
        if "t" in self.axes:
            raise InputError(
                "a film where one image was needed", where=self.name, got=f"{self.length('t')} frames",
                remedy="Give its frames as single images (in Python: cut('frame')); pass axes='zyx' if it is a volume",
            )
        return self
