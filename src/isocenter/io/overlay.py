"""Pictures for people: outlines of regions and heat maps over an image, in colours that the colour-blind can tell."""

from __future__ import annotations

import math

import numpy as np

from isocenter.data import IGNORE, Attribution, Image, Perturbation, Segmentation
from isocenter.errors import OutputError
from isocenter.ops.array import Array

# Okabe and Ito, Color Universal Design (2008), without black; region i takes colour i - 1, in turn.
PALETTE = (
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167),
)
# How much larger than it is a change is drawn.
TIMES = 20
# A picture smaller than this is enlarged, so that a one-pixel outline hides little of it.
SIDE = 512


def grey(array: Array) -> Array:
    """Values of any range as uint8: 8 bits as they are, others from their 0.5 to 99.5 percentile."""
    if array.dtype == np.uint8:
        return array
    finite = np.where(np.isfinite(array), array, 0).astype(np.float32)
    low, high = np.percentile(finite, (0.5, 99.5))
    return np.asarray(np.clip((finite - low) / max(high - low, 1e-12), 0, 1) * 255, np.uint8)


def backdrop(image: Image, index: int | None) -> Array:
    """One slice of an image as (y, x, 3) uint8.

    Raises
    ------
    OutputError
        A film.
    """
    if "t" in image.axes:
        raise OutputError("a film cannot lie under an overlay", where=image.name, remedy="Use cut('frame')")
    array = image.channels_first()
    if image.ndim == 3:
        array = array[:, index or 0]
    shown = grey(array[:3] if len(array) >= 3 else array[:1])
    return np.ascontiguousarray(np.broadcast_to(np.moveaxis(shown, 0, -1), (*shown.shape[1:], 3)))


def outlines(labels: Array) -> Array:
    """Labels kept where a pixel has a neighbour of another label, zero inside; `labels` is (y, x)."""
    padded = np.pad(labels, 1, constant_values=0)
    centre = padded[1:-1, 1:-1]
    edge = np.zeros(labels.shape, bool)
    for other in (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]):
        edge |= other != centre
    return np.where(edge, centre, 0).astype(labels.dtype)


def enlarged(array: Array, factor: int) -> Array:
    """Each pixel repeated `factor` times along y and x."""
    return array.repeat(factor, 0).repeat(factor, 1)


def drawn(image: Image, found: Segmentation, *, index: int | None = None) -> Array:
    """The image with the regions' outlines, (y, x, 3) uint8.

    Parameters
    ----------
    index
        Slice along z of a volume; default the one with most labelled pixels.

    Raises
    ------
    OutputError
        Image and labels have different grids.
    """
    if image.geometry.shape != found.geometry.shape:
        raise OutputError("image and labels lie on different grids", got=str(found.geometry.shape),
                          wanted=str(image.geometry.shape))
    labels = np.where(found.labels == IGNORE, 0, found.labels)
    if found.geometry.ndim == 3:
        index = int(np.argmax((labels > 0).sum((1, 2)))) if index is None else index
        labels = labels[index]
    factor = max(1, math.ceil(SIDE / max(labels.shape)))
    picture = enlarged(backdrop(image, index), factor)
    lines = outlines(enlarged(labels, factor))
    colours = np.asarray(PALETTE, np.uint8)
    picture[lines > 0] = colours[(lines[lines > 0].astype(int) - 1) % len(colours)]
    return picture


def heat(found: Attribution, image: Image | None, *, index: int | None = None) -> Array:
    """An attribution as colour, (y, x, 3) uint8: orange speaks for, blue against; over the image where there is one."""
    values = np.asarray(found.values, np.float32)
    if values.ndim == 3:
        index = int(np.argmax(np.abs(values).sum((1, 2)))) if index is None else index
        values = values[index]
    top = float(np.percentile(np.abs(values), 99.5)) or float(np.abs(values).max()) or 1.0
    share = np.clip(values / top, -1, 1)[..., None]
    under = backdrop(image, index) if image is not None else np.full((*values.shape, 3), 255, np.uint8)
    colour = np.where(share > 0, np.asarray(PALETTE[0], np.float32), np.asarray(PALETTE[4], np.float32))
    weight = 0.75 * np.abs(share)
    return np.asarray(np.round(under * (1 - weight) + colour * weight), np.uint8)


def change(found: Perturbation, image: Image, *, index: int | None = None) -> Array:
    """A change in three panels side by side, (y, x, 3) uint8: the image with it (x1), as it was, and the change x20.

    Black and white are the ends of the range that pixels may have; no change is mid-grey. One mid-grey column in 50
    parts the panels.

    Parameters
    ----------
    found
        The change.
    image
        That was changed.
    index
        Slice along z of a volume; default the one that was changed most.

    Raises
    ------
    OutputError
        A film, or another grid or number of channels.
    """
    if "t" in image.axes:
        raise OutputError("a film cannot be drawn with its change", where=image.name, remedy="Use cut('frame')")
    array, added = image.channels_first().astype(np.float64), found.values.astype(np.float64)
    if array.shape[1:] != added.shape[1:] or (len(added) != len(array) and len(added) != 1):
        raise OutputError("image and change lie on different grids", got=str(added.shape), wanted=str(array.shape))
    if found.geometry.ndim == 3:
        z = int(np.argmax(np.abs(added).sum((0, 2, 3)))) if index is None else index
        array, added = array[:, z], added[:, z]
    low, width = found.span[0], max(found.span[1] - found.span[0], 1e-30)
    alone = 0.5 + TIMES * np.broadcast_to(added, array.shape) / width
    panels = [(array + added - low) / width, (array - low) / width, alone]
    factor = max(1, math.ceil(SIDE / max(array.shape[1:])))
    drawn = [enlarged(_coloured(panel), factor) for panel in panels]
    gap = np.full((drawn[0].shape[0], max(2, drawn[0].shape[1] // 50), 3), 128, np.uint8)
    return np.concatenate([drawn[0], gap, drawn[1], gap, drawn[2]], axis=1)


def _coloured(shares: Array) -> Array:
    """(c, y, x) shares of the range as (y, x, 3) uint8."""
    shown = np.asarray(np.rint(np.clip(shares[:3] if len(shares) >= 3 else shares[:1], 0, 1) * 255), np.uint8)
    return np.ascontiguousarray(np.broadcast_to(np.moveaxis(shown, 0, -1), (*shown.shape[1:], 3)))
