"""JPEG of 8 bits, grey and colour. Its values are near the original ones, not equal."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from isocenter.data import Image, Problem
from isocenter.errors import UnreadableError
from isocenter.io import limits, raster
from isocenter.io.grid import Note, silent, stated
from isocenter.ops.array import Array

# A progressive JPEG has about ten scans; files of 80,000 exist only to keep a decoder busy.
SCANS = 500
ORIENTATION = 0x0112


def claims(path: Path, head: bytes) -> bool:
    """Whether the first bytes are those of a JPEG."""
    return head.startswith(b"\xff\xd8\xff")


def read(
    path: Path, *, axes: str | None = None, spacing: tuple[float, ...] | None = None, note: Note = silent
) -> Image:
    """An image whose header is read now and whose pixels are read by `pixels()`, as stored (no turning by EXIF).

    Raises
    ------
    UnreadableError
        Damaged.
    ResourceError
        A decompression bomb.
    """
    with raster.opened(path, "JPEG") as image:
        found = raster.described(path, image, "jpeg", spacing)
        if note is not silent:
            _tell(path, image, note)
    if axes:
        stated(path, axes, found.shape)
    return found.replaced(partial(labels, path))


def labels(path: Path) -> Array:
    """The decoded values, channels first."""
    with limits.typed(path, "JPEG"):
        scans = path.read_bytes().count(b"\xff\xda")
    if scans > SCANS:
        raise UnreadableError("too many scans for a JPEG", where=str(path), got=str(scans), wanted=f"at most {SCANS}")
    return raster.pixels(str(path), "JPEG")


def _tell(path: Path, image: Any, note: Note) -> None:
    turn = image.getexif().get(ORIENTATION, 1)
    if turn != 1:
        note(Problem(
            "exif-orientation", "warning", "the file asks viewers to turn it; it is read as stored", str(path),
            got=f"EXIF orientation {turn}", remedy="Check that its labels were drawn on the same turn",
        ))
    if image.mode == "CMYK":
        note(Problem("inks", "warning", "four inks (CMYK) are turned into red, green, blue", str(path)))
