"""A volume answered slice by slice: objects that are one slice thick, on the grid of the volume."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from isocenter.data import Boxes, Geometry, Image, Instances
from isocenter.data.cut import take
from isocenter.ops.array import Array


def slices(image: Image, array: Array) -> Iterator[Image]:
    """The slices of a volume along z, from pixels (c, z, y, x) that were read before."""
    volume = image.replaced(lambda: array, axes="czyx", shape=array.shape)
    return (take(volume, "z", i) for i in range(array.shape[1]))


def _piled(found: Sequence[Boxes] | Sequence[Instances]) -> tuple[Array, Array, Array]:
    """Slice, class and score of every object."""
    at = np.repeat(np.arange(len(found)), [len(one) for one in found])
    scores = np.concatenate([np.asarray(one.scores, np.float64) for one in found])
    return at, np.concatenate([one.labels for one in found]), scores


def boxes_of(found: Sequence[Boxes], geometry: Geometry) -> Boxes:
    """The boxes of all slices, by falling score; a box of slice i reaches from i - 0.5 to i + 0.5.

    Parameters
    ----------
    found
        One a slice, with scores, over the same classes; at least one.
    geometry
        Of the volume.
    """
    at, labels, scores = _piled(found)
    depth = np.stack([at - 0.5, at + 0.5], 1)[:, :, None]
    edges = np.concatenate([depth, np.concatenate([one.edges for one in found])], 2)
    return Boxes(edges, labels, found[0].classes, geometry, scores).ranked()


def instances_of(found: Sequence[Instances], geometry: Geometry) -> Instances:
    """The objects of all slices, slice by slice; a mask of slice i is (1, height, width).

    Parameters
    ----------
    found
        One a slice, with scores, over the same classes; at least one.
    geometry
        Of the volume.
    """
    at, labels, scores = _piled(found)
    starts = np.concatenate([at[:, None], np.concatenate([one.starts for one in found])], 1)
    masks = tuple(mask[None] for one in found for mask in one.masks)
    return Instances(starts, masks, labels, found[0].classes, geometry, scores)
