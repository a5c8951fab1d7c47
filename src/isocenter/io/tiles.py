"""Tiles and strips of a TIFF that hold JPEG streams, decoded one by one (TIFF Technical Note 2)."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from isocenter.errors import UnreadableError
from isocenter.io import limits
from isocenter.ops.array import Array

JPEG = 7
START = b"\xff\xd8"


def page(path: str, found: Any) -> Array:
    """The pixels of one tifffile page whose segments are JPEG streams of 8 bits, (y, x[, samples]).

    Raises
    ------
    UnreadableError
        A segment is damaged, of another size than declared, or lies outside the file.
    """
    height, width = found.imagelength, found.imagewidth
    tall, wide = (found.tilelength, found.tilewidth) if found.is_tiled else (found.rowsperstrip, width)
    if found.samplesperpixel > 1 and found.planarconfig != 1:
        raise UnreadableError("JPEG tiles with separate colour planes", where=path)
    out = np.zeros((height, width, found.samplesperpixel), np.uint8)
    across = -(-width // wide)
    with Path(path).open("rb") as file:
        for i, (offset, size) in enumerate(zip(found.dataoffsets, found.databytecounts, strict=True)):
            if not size:
                continue
            y, x = i // across * tall, i % across * wide
            if y >= height:
                break
            file.seek(offset)
            stream = file.read(size)
            limits.stored(path, size, len(stream))
            tile = _decoded(path, _whole(stream, found), found.samplesperpixel, tall * wide)
            part = out[y : y + tall, x : x + wide]
            if tile.shape[0] < part.shape[0] or tile.shape[1] < part.shape[1]:
                raise UnreadableError("a tile of another size than declared", where=path, got=str(tile.shape[:2]))
            part[...] = tile[: part.shape[0], : part.shape[1]]
    return out if found.samplesperpixel > 1 else out[..., 0]


def _whole(stream: bytes, found: Any) -> bytes:
    """The stream with the shared tables, and a marker that says which colours it holds."""
    tables = found.jpegtables or b""
    colours = bytes([1 if int(found.photometric) == 6 else 0])
    # Adobe's marker is what decoders go by; without it they guess from component numbers.
    adobe = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00" + colours if found.samplesperpixel == 3 else b""
    return START + adobe + tables[2:-2] + stream[2:]


def _decoded(path: str, stream: bytes, samples: int, largest: int) -> Array:
    import PIL.Image

    with limits.typed(path, "JPEG tile"), PIL.Image.open(io.BytesIO(stream), formats=["JPEG"]) as image:
        if image.width * image.height > 4 * largest:
            raise UnreadableError("a tile of another size than declared", where=path, got=str(image.size))
        array = np.array(image)
    return array.reshape(*array.shape[:2], samples)
