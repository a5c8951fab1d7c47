"""What PNG and JPEG share: Pillow with one named decoder, caps before decoding, modes as named channels."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from isocenter.data import Geometry, Image, Source
from isocenter.errors import UnreadableError
from isocenter.io import limits
from isocenter.io.grid import with_spacing
from isocenter.ops.array import Array

RGB = ("red", "green", "blue")
# Pillow's mode: channel names, bytes per channel.
MODES: dict[str, tuple[tuple[str, ...], str]] = {
    "1": ((), "uint8"), "L": ((), "uint8"), "I;16": ((), "uint16"), "I;16B": ((), "uint16"), "I": ((), "uint16"),
    "LA": (("grey", "alpha"), "uint8"), "RGB": (RGB, "uint8"), "RGBA": ((*RGB, "alpha"), "uint8"),
}


@contextmanager
def opened(path: str | Path, decoder: str) -> Iterator[Any]:
    """Pillow's lazy image by the named decoder alone, its size checked before any pixel is decoded.

    Raises
    ------
    UnreadableError, ResourceError
        Damaged, or a decompression bomb.
    """
    import PIL.Image

    with limits.typed(path, decoder), warnings.catch_warnings():
        # Large pictures are judged by `limits.picture`, not by a warning.
        warnings.simplefilter("ignore", PIL.Image.DecompressionBombWarning)
        with PIL.Image.open(path, formats=[decoder]) as image:
            width, height = image.size
            depth = {"RGB": 4, "RGBA": 4, "CMYK": 4, "YCbCr": 4, "I": 4}.get(image.mode, 2 if "16" in image.mode else 1)
            limits.picture(path, width * height * depth, Path(path).stat().st_size)
            yield image


def target(image: Any) -> str:
    """The mode that a picture is decoded to: its own, or grey or colour for palettes, inks and luma."""
    if image.mode in MODES:
        return str(image.mode)
    if image.mode == "P":
        if "transparency" in image.info:
            return "RGBA"
        table = np.frombuffer(image.palette.getdata()[1], np.uint8)
        table = table[: len(table) // 3 * 3].reshape(-1, 3)
        return "L" if (table == table[:, :1]).all() else "RGB"
    if image.mode in ("CMYK", "YCbCr", "LAB"):
        return "RGB"
    raise UnreadableError("a kind of pixel that nobody here reads", got=str(image.mode))


def described(path: Path, image: Any, name: str, spacing: tuple[float, ...] | None, **loading: Any) -> Image:
    """The `Image` of an opened picture; `loading` goes to `pixels`."""
    mode = target(image)
    channels, dtype = MODES[mode]
    width, height = image.size
    shape = (len(channels), height, width) if channels else (height, width)
    load = partial(pixels, str(path), image.format if image.format == "PNG" else "JPEG", **loading)
    found = Image(
        load, shape, "cyx" if channels else "yx", dtype, Geometry((height, width)), channels,
        source=Source((str(path),), name),
    )
    return with_spacing(found, path, spacing)


def pixels(path: str, decoder: str, *, divisor: int = 1, raw: bool = False) -> Array:
    """The decoded picture, channels first.

    Parameters
    ----------
    divisor
        Grey levels are divided by it: undoes Pillow's stretching of 2 and 4 bits to 8.
    raw
        Palette numbers instead of their colours.
    """
    with opened(path, decoder) as image:
        mode = target(image)
        if image.mode == "P" and raw:
            array = np.array(image)
        else:
            array = np.array(image if image.mode == mode else image.convert(mode))
    if array.dtype == bool:
        array = array.astype(np.uint8)
    if mode.startswith("I"):
        array = array.astype(np.uint16)
    if divisor > 1:
        array //= divisor
    return np.ascontiguousarray(np.moveaxis(array, -1, 0)) if array.ndim == 3 else array
