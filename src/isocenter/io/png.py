"""PNG: 1 to 16 bits, grey, palette and colour. It states no size of its pixels that could be trusted."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from isocenter.data import Image, Problem
from isocenter.errors import OutputError, UnreadableError
from isocenter.io import limits, raster
from isocenter.io.encoded import Block, as_bytes
from isocenter.io.grid import Note, silent, stated
from isocenter.ops.array import Array

MAGIC = b"\x89PNG\r\n\x1a\n"
# Pillow stretches these depths of grey to 8 bits by these factors.
STRETCH = {2: 85, 4: 17}


def claims(path: Path, head: bytes) -> bool:
    """Whether the first bytes are those of a PNG."""
    return head.startswith(MAGIC)


def read(
    path: Path, *, axes: str | None = None, spacing: tuple[float, ...] | None = None, note: Note = silent
) -> Image:
    """An image whose header is read now and whose pixels are read by `pixels()`.

    Grey of 1, 2 and 4 bits keeps its numbers (0 and 1 for one bit); palettes become grey or colour.

    Raises
    ------
    UnreadableError
        Damaged, or colour of 16 bits, which no decoder here keeps whole.
    ResourceError
        A decompression bomb.
    """
    depth, kind = _header(path)
    if depth == 16 and kind in (2, 4, 6):
        raise UnreadableError(
            "colour of 16 bits per channel", where=str(path), wanted="8 bits, or grey", remedy="Convert it to TIFF"
        )
    with raster.opened(path, "PNG") as image:
        if getattr(image, "n_frames", 1) > 1:
            note(Problem("animated", "warning", "an animated PNG: only its first picture is read", str(path)))
        found = raster.described(path, image, "png", spacing, divisor=STRETCH.get(depth, 1) if kind == 0 else 1)
    if axes:
        stated(path, axes, found.shape)
    return found


def labels(path: Path) -> Array:
    """The numbers as stored: palette indices, unstretched grey, or colour with channels first."""
    depth, kind = _header(path)
    return raster.pixels(str(path), "PNG", divisor=STRETCH.get(depth, 1) if kind == 0 else 1, raw=True)


def _header(path: Path) -> tuple[int, int]:
    """Bit depth and colour type (PNG specification, 11.2.1)."""
    with limits.typed(path, "PNG"), path.open("rb") as file:
        head = file.read(26)
        limits.stored(path, 26, len(head))
        width, height, depth, kind = struct.unpack(">IIBB", head[16:26])
    if head[12:16] != b"IHDR" or not width or not height:
        raise UnreadableError("no PNG header", where=str(path))
    return depth, kind


def write(path: Path, block: Block, like: Image | None = None) -> None:
    """Writes grey of 8 or 16 bits, or colour of 8 bits, the numbers unchanged.

    Raises
    ------
    OutputError
        More than two spatial axes, channels that are no colours, or values that the format cannot hold.
    """
    import PIL.Image

    array = as_bytes(path, block.array)
    if block.axes == "cyx" and array.dtype == np.uint8 and len(array) in (3, 4):
        array = np.ascontiguousarray(np.moveaxis(array, 0, -1))
    elif block.axes != "yx":
        raise OutputError(
            "a PNG holds one grey or colour picture", where=str(path), got=f"axes {block.axes}, {block.array.shape}",
            remedy="Write .nii.gz or .tif, or one slice",
        )
    PIL.Image.fromarray(array).save(path, "PNG")
