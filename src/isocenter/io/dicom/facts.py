"""What one DICOM file says about its image, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Triple = tuple[float, ...]
UNDEFINED = 0xFFFFFFFF


@dataclass(frozen=True)
class Slice:
    """One frame of one file, in space and time.

    Parameters
    ----------
    position, orientation, spacing
        As in the file: LPS mm of the first pixel; direction of rows and of columns; mm between rows and columns. Empty
        where it does not say.
    slope, intercept
        Stored values to output values.
    marks
        What else tells frames apart: name to number (``temporal``, ``trigger``, ``echo``, ``b`` ...).
    seconds
        Time of day or since the start, where known.
    """

    position: Triple = ()
    orientation: Triple = ()
    spacing: Triple = ()
    slope: float = 1.0
    intercept: float = 0.0
    marks: tuple[tuple[str, float], ...] = ()
    seconds: float | None = None


@dataclass(frozen=True)
class Coding:
    """How the pixels are stored.

    Parameters
    ----------
    tag, offset, length, vr
        Of the pixel data element; `length` is 0xFFFFFFFF where encapsulated.
    dtype
        numpy type of a stored sample.
    start
        Where a deflated data set begins in the file, else 0.
    """

    syntax: str
    tag: int
    offset: int
    length: int
    vr: bytes
    rows: int
    columns: int
    frames: int
    samples: int
    allocated: int
    stored: int
    high: int
    signed: bool
    dtype: str
    photometric: str
    planar: int
    start: int = 0

    @property
    def frame_bits(self) -> int:
        """Bits of one frame where it is not compressed."""
        samples = 2 if self.photometric == "YBR_FULL_422" and not self.encapsulated else self.samples
        return self.rows * self.columns * samples * self.allocated

    @property
    def encapsulated(self) -> bool:
        """Whether the frames are compressed, each in fragments."""
        return self.length == UNDEFINED


@dataclass(frozen=True)
class Header:
    """One file: what it is, how its pixels are stored, and where its frames lie.

    Parameters
    ----------
    uids
        By keyword.
    patient
        Hash of the patient's identifier, to tell patients apart; the identifier itself is not kept.
    step
        Seconds from frame to frame of a cine.
    stamps
        Seconds of each frame of a cine whose frames do not follow at one distance.
    increments
        Frame increment pointer: group and element numbers in turn.
    notes
        ``lut`` (a modality table), ``table8`` (a palette of 8 bits), ``syntax`` (transfer syntax guessed), ``detector``
        (spacing at the detector).
    """

    path: str
    uids: Mapping[str, str]
    patient: str
    modality: str
    description: str
    image_type: tuple[str, ...]
    number: int
    unit: str
    coding: Coding
    slices: tuple[Slice, ...]
    step: float | None = None
    increments: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    stamps: tuple[float, ...] = ()

    @property
    def series(self) -> str:
        """UID of the series; the file's own name where it has none."""
        return self.uids.get("SeriesInstanceUID") or self.path
