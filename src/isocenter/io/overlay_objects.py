"""Pictures for people: boxes with class and score, and outlines of objects, over an image."""

from __future__ import annotations

import math

import numpy as np

from isocenter.data import Boxes, Image, Instances
from isocenter.errors import OutputError
from isocenter.io.overlay import PALETTE, SIDE, backdrop, enlarged, outlines
from isocenter.ops.array import Array

# Boxes of which each gets its words; more would hide the picture.
NAMED = 60


def boxes_drawn(image: Image, found: Boxes, *, index: int | None = None) -> Array:
    """The image with boxes in their class's colour, and with class and score beside each, (y, x, 3) uint8.

    Parameters
    ----------
    index
        Slice along z of a volume; default the one that most boxes cross.

    Raises
    ------
    OutputError
        Image and boxes have different grids, or a film.
    """
    import PIL.Image
    import PIL.ImageDraw

    _same(image, found)
    shown = found.ranked()
    edges = shown.edges
    if found.geometry.ndim == 3:
        index = _crossed(edges, found.geometry.shape[0]) if index is None else index
        shown = shown.chosen((edges[:, 0, 0] < index + 0.5) & (edges[:, 1, 0] > index - 0.5))
        edges = shown.edges[:, :, 1:]
    factor = _factor(found.geometry.shape)
    picture = PIL.Image.fromarray(enlarged(backdrop(image, index), factor))
    pen = PIL.ImageDraw.Draw(picture)
    for i in range(len(shown))[::-1]:
        kind = int(shown.labels[i])
        colour = PALETTE[kind % len(PALETTE)]
        (y0, x0), (y1, x1) = (edges[i] + 0.5) * factor
        pen.rectangle([x0, y0, max(x1 - 1, x0), max(y1 - 1, y0)], outline=colour, width=2)
        if i < NAMED:
            score = "" if shown.scores is None else f" {shown.scores[i]:.2f}"
            words = f"{shown.classes[kind]}{score}".encode("ascii", "replace").decode()
            pen.text((x0 + 2, max(y0 - 11, 0)), words, fill=colour)
    return np.asarray(picture)


def objects_drawn(image: Image, found: Instances, *, index: int | None = None) -> Array:
    """The image with the outline of each object, (y, x, 3) uint8; neighbours differ in colour with one class alone.

    Parameters
    ----------
    index
        Slice along z of a volume; default the one with most pixels of objects.

    Raises
    ------
    OutputError
        Image and objects have different grids, or a film.
    """
    _same(image, found)
    labels = found.label_map()
    if labels.ndim == 3:
        index = int(np.argmax((labels > 0).sum((1, 2)))) if index is None else index
        labels = labels[index]
    factor = _factor(labels.shape)
    picture = enlarged(backdrop(image, index), factor)
    lines = outlines(enlarged(labels, factor))
    colours = np.asarray(PALETTE, np.uint8)
    several = len(found.classes) > 1
    kinds = found.labels if several else np.arange(len(found))
    on = lines > 0
    picture[on] = colours[kinds[lines[on] - 1] % len(colours)]
    return picture


def _same(image: Image, found: Boxes | Instances) -> None:
    if image.geometry.shape != found.geometry.shape:
        raise OutputError("image and objects lie on different grids", got=str(found.geometry.shape),
                          wanted=str(image.geometry.shape))


def _factor(shape: tuple[int, ...]) -> int:
    return max(1, math.ceil(SIDE / max(shape[-2:])))


def _crossed(edges: Array, depth: int) -> int:
    """The slice that most boxes cross."""
    z = np.arange(depth)[:, None]
    return int(np.argmax(((edges[None, :, 0, 0] < z + 0.5) & (edges[None, :, 1, 0] > z - 0.5)).sum(1)))
