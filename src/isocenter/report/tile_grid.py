"""A grid of small pictures with a word under each: feature maps, exciting patches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isocenter.errors import InputError
from isocenter.ops.array import Array
from isocenter.report.figures import windowed
from isocenter.report.markup import shortened

# Height of a line of text, gap between tiles, in pixels.
LINE, GAP = 16, 8
INK, PAPER = (28, 33, 38), (255, 255, 255)


@dataclass(frozen=True, eq=False)
class Tile:
    """One small picture.

    Parameters
    ----------
    pixels
        (y, x) numbers, shown from their least to their highest value, or (y, x, 3) colours as uint8.
    label
        What stands under it.
    """

    pixels: Array
    label: str = ""


def tile_grid(tiles: Sequence[Tile], *, columns: int, side: int = 160, title: str = "") -> Array:
    """The tiles row by row as (y, x, 3) uint8, each no larger than `side`, its own proportions kept.

    Raises
    ------
    InputError
        There is no tile.
    """
    from PIL import Image, ImageDraw, ImageFont

    if not tiles:
        raise InputError("nothing to draw", wanted="at least one picture")
    rows = -(-len(tiles) // columns)
    top = LINE + GAP if title else 0
    width = GAP + min(columns, len(tiles)) * (side + GAP)
    sheet = Image.new("RGB", (width, top + GAP + rows * (side + LINE + GAP)), PAPER)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    pen.text((GAP, GAP // 2), title, fill=INK, font=font)
    for i, tile in enumerate(tiles):
        x, y = GAP + i % columns * (side + GAP), top + GAP + i // columns * (side + LINE + GAP)
        picture = Image.fromarray(windowed(tile.pixels, 0.0, 100.0))
        share = side / max(picture.size)
        size = max(1, round(picture.width * share)), max(1, round(picture.height * share))
        # Pixels of a coarse layer stay squares: they are what the network has.
        sheet.paste(picture.resize(size, Image.Resampling.NEAREST if share > 1 else Image.Resampling.BOX), (x, y))
        pen.text((x, y + size[1] + 1), shortened(tile.label, 12, side), fill=INK, font=font)
    return np.asarray(sheet)
