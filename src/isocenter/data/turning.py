"""Volumes brought to one orientation and back, exactly: axes change places or run the other way, no value changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from isocenter.data.findings import Boxes, Segmentation
from isocenter.data.geometry import Geometry, orienting
from isocenter.data.image import Image
from isocenter.ops.array import Array


def turned(image: Image, codes: str | None) -> Image:
    """The image with its z, y and x axes running as `codes` says (``"SPL"``), pixels still read when asked for.

    Images without a known orientation in three dimensions, and `codes` None, stay as they are. GeometryError where
    `codes` is no orientation.
    """
    if codes is None or not turns(image.geometry, codes):
        return image
    order, flips = orienting(image.geometry, codes)
    lead = image.axes.index("z")
    shape = (*image.shape[:lead], *(image.shape[lead + o] for o in order))
    return image.replaced(
        lambda: moved(image.pixels(), order, flips), shape=shape, geometry=image.geometry.reoriented(order, flips)
    )


def turned_labels(found: Segmentation, codes: str | None) -> Segmentation:
    """A label map turned as `turned` turns its image."""
    if codes is None or not turns(found.geometry, codes):
        return found
    order, flips = orienting(found.geometry, codes)
    scores = None if found.scores is None else moved(found.scores, order, flips)
    labels = np.ascontiguousarray(moved(found.labels, order, flips))
    return replace(found, labels=labels, geometry=found.geometry.reoriented(order, flips), scores=scores)


def returned_labels(found: Segmentation, image: Image) -> Segmentation:
    """A label map about ``turned(image, ...)`` on the image's own grid."""
    if found.geometry == image.geometry:
        return found
    return replace(turned_labels(found, image.geometry.orientation), geometry=image.geometry)


def turned_boxes(found: Boxes, codes: str | None) -> Boxes:
    """Boxes turned as `turned` turns their image."""
    if codes is None or not turns(found.geometry, codes):
        return found
    order, flips = orienting(found.geometry, codes)
    geometry = found.geometry.reoriented(order, flips)
    edges, last = found.edges[:, :, list(order)], np.asarray(geometry.shape) - 1
    edges = np.where(np.asarray(flips), last - edges[:, ::-1], edges)
    return replace(found, edges=edges, geometry=geometry)


def returned_boxes(found: Boxes, image: Image) -> Boxes:
    """Boxes about ``turned(image, ...)`` on the image's own grid."""
    if found.geometry == image.geometry:
        return found
    return replace(turned_boxes(found, image.geometry.orientation), geometry=image.geometry)


def returned_map(values: Array, geometry: Geometry, image: Image) -> Array:
    """An array on the grid of ``turned(image, ...)``, whose geometry is given, on the image's own grid."""
    if geometry == image.geometry:
        return values
    order, flips = orienting(geometry, image.geometry.orientation or "")
    return moved(values, order, flips)


def turns(geometry: Geometry, codes: str) -> bool:
    """Whether the grid has an orientation, and it is another one."""
    return geometry.ndim == 3 and geometry.orientation not in (None, codes)


def moved(array: Array, order: tuple[int, ...], flips: tuple[bool, ...]) -> Array:
    """An array whose last three axes are transposed by `order` and then flipped where `flips` says so."""
    lead = array.ndim - 3
    out = array.transpose(*range(lead), *(lead + o for o in order))
    return np.asarray(np.flip(out, tuple(lead + a for a, flip in enumerate(flips) if flip)))
