"""The panorama with the outline and name of each tile, and a line between tiles that overlap."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from isocenter.data import Array, Transform
from isocenter.data.mosaic import Mosaic
from isocenter.files import written
from isocenter.io.overlay import backdrop

# Longest side of the picture in pixels.
SIDE = 1600
# Okabe and Ito: joined, and contradicting the others.
JOINED, LEFT_OUT = (0, 158, 115), (213, 94, 0)
COLOURS = ((86, 180, 233), (230, 159, 0), (204, 121, 167), (240, 228, 66), (0, 114, 178), (160, 200, 120))


def drawn(made: Mosaic, names: tuple[str, ...], path: Path) -> Path:
    """Writes the picture as PNG; of a volume the coronal slice through its middle. Raises as `isocenter.files.written`.

    Parameters
    ----------
    made
        What was joined.
    names
        Of the tiles.
    path
        Where to.
    """
    from PIL import Image, ImageDraw

    image, axes = _plane(made)
    factor = min(SIDE / max(image.shape[:2]), 4.0)
    # Of a volume y is the height: slices may be thicker than pixels are wide.
    size = (max(round(image.shape[1] * factor), 1), max(round(image.shape[0] * factor * _tall(made, axes)), 1))
    picture = Image.fromarray(image).resize(size, Image.Resampling.BILINEAR)
    pen = ImageDraw.Draw(picture)
    scale = np.array([size[1] / image.shape[0], size[0] / image.shape[1]])
    middles: dict[int, Any] = {}
    for i, transform in enumerate(made.transforms):
        if transform is None:
            continue
        corners = (_corners(transform, axes) + 0.5) * scale
        middles[i] = corners.mean(axis=0)
        pen.polygon([tuple(p[::-1]) for p in corners], outline=COLOURS[i % len(COLOURS)], width=2)
    for o in made.overlaps:
        if o.first in middles and o.second in middles:
            ends = [tuple(middles[k][::-1]) for k in (o.first, o.second)]
            pen.line(ends, fill=JOINED if o.used else LEFT_OUT, width=3)
    for i, at in middles.items():
        text = names[i].encode("latin-1", "replace").decode("latin-1")
        box = pen.textbbox(tuple(at[::-1]), text, anchor="mm")
        pen.rectangle((box[0] - 3, box[1] - 2, box[2] + 3, box[3] + 2), fill=(0, 0, 0))
        pen.text(tuple(at[::-1]), text, fill=COLOURS[i % len(COLOURS)], anchor="mm")
    with written(path, overwrite=True) as part:
        picture.save(part, "PNG")
    return path


def _plane(made: Mosaic) -> tuple[Array, tuple[int, int]]:
    """What is shown, (y, x, 3) uint8, and which axes of the grid are its own."""
    panorama = made.panorama
    if panorama.ndim == 2:
        return backdrop(panorama, None), (0, 1)
    volume = panorama.channels_first()[0]
    low, high = np.percentile(volume[::2, ::4, ::4], (1, 99))
    cut = np.clip((volume[::-1, volume.shape[1] // 2] - low) / max(float(high - low), 1e-9), 0, 1)
    return np.repeat((255 * cut).astype(np.uint8)[..., None], 3, axis=2), (0, 2)


def _tall(made: Mosaic, axes: tuple[int, int]) -> float:
    spacing = made.panorama.geometry.spacing
    return 1.0 if spacing is None else spacing[axes[0]] / spacing[axes[1]]


def _corners(transform: Transform, axes: tuple[int, int]) -> Array:
    """Of a tile in the picture, in turn, (4, 2): row and column."""
    shape = np.asarray(transform.moving.shape, float)
    at = np.repeat(((shape - 1) / 2)[None], 4, axis=0)
    for row, (a, b) in zip(at, ((0, 0), (0, 1), (1, 1), (1, 0)), strict=True):
        row[list(axes)] = [-0.5 + end * shape[axis] for axis, end in zip(axes, (a, b), strict=True)]
    found = transform.inverse().indices(at)[:, list(axes)]
    if transform.moving.ndim == 3:
        # The head is up.
        found[:, 0] = transform.fixed.shape[0] - 1 - found[:, 0]
    return np.asarray(found)
