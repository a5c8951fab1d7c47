"""Images, regions, boxes and objects brought from the moving to the fixed image; pixels are resampled once."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TypeVar, cast

import numpy as np

from isocenter.data.findings.boxes import Boxes
from isocenter.data.findings.instances import Instances
from isocenter.data.findings.segmentation import Segmentation
from isocenter.data.findings.transform import Transform
from isocenter.data.geometry import Geometry
from isocenter.data.image import SPATIAL, Image
from isocenter.errors import GeometryError
from isocenter.ops.array import Array
from isocenter.ops.warping import sampled

T = TypeVar("T", bound=Image | Segmentation | Boxes | Instances)


def warped(transform: Transform, value: T, *, order: int = 1, outside: float = 0.0) -> T:
    """What lies on the moving grid, on the fixed one. For the other direction pass ``transform.inverse()``.

    Parameters
    ----------
    transform
        Composed of as many as there are: the pixels are touched once.
    value
        Image (read when its pixels are asked for; float32 unless `order` is 0), Segmentation (nearest; background
        beyond the moving image; soft scores are left behind), Boxes (the box around the moved corners; those that fold
        away or do not touch the fixed image leave) or Instances (nearest, each by itself; those of which no pixel is
        left leave).
    order
        Of an image: 0 nearest, 1 linear, 3 cubic spline.
    outside
        Of an image: value beyond the moving image.

    Raises
    ------
    GeometryError
        The value lies on another grid than the transform's moving one.
    """
    if not value.geometry.same_grid(transform.moving):
        raise GeometryError("the value lies on another grid than the moving image", got=str(value.geometry.shape),
                            wanted=str(transform.moving.shape))
    if isinstance(value, Image):
        return cast("T", _image(transform, value, order, outside))
    if isinstance(value, Segmentation):
        labels = sampled(value.labels, _places(transform), order=0)
        return cast("T", Segmentation(labels, value.names, transform.fixed))
    return cast("T", _boxes(transform, value) if isinstance(value, Boxes) else _objects(transform, value))


def _places(transform: Transform) -> Array:
    return transform.sampled()[1].reshape(*transform.fixed.shape, -1)


def _image(transform: Transform, image: Image, order: int, outside: float) -> Image:
    def load() -> Array:
        pixels = image.pixels()
        flat = pixels.reshape(-1, *image.geometry.shape)
        out = sampled(flat, _places(transform), order=order, outside=outside)
        return out.reshape(*pixels.shape[: pixels.ndim - image.ndim], *transform.fixed.shape)

    other = tuple(s for a, s in zip(image.axes, image.shape, strict=True) if a not in SPATIAL)
    return image.replaced(
        load, shape=(*other, *transform.fixed.shape), geometry=transform.fixed,
        dtype=image.dtype if order == 0 else "float32",
    )


def _boxes(transform: Transform, boxes: Boxes) -> Boxes:
    back = transform.inverse()
    rank = boxes.geometry.ndim
    # Corners and the middles between them: a perspective or a spline bends the sides.
    share = np.array(list(product((0.0, 0.5, 1.0), repeat=rank)))
    low, high = boxes.edges[:, None, 0], boxes.edges[:, None, 1]
    there = back.indices((low + share * (high - low)).reshape(-1, rank)).reshape(len(boxes), len(share), rank)
    kept = np.isfinite(there).all((1, 2))
    edges = np.stack([there[kept].min(axis=1), there[kept].max(axis=1)], axis=1)
    seen = _touching(edges, transform.fixed)
    return replace(boxes.chosen(np.flatnonzero(kept)[seen]), edges=edges[seen], geometry=transform.fixed)


def _objects(transform: Transform, found: Instances) -> Instances:
    fixed, shape = transform.fixed, found.geometry.shape
    # Which moving pixel each fixed pixel shows, sorted by the moving one: each object then looks up its own.
    with np.errstate(invalid="ignore"):
        places = np.floor(transform.sampled()[1] + 0.5)
        known = np.flatnonzero(((places >= 0) & (places < shape)).all(axis=1))
    shown = np.ravel_multi_index(tuple(places[known].astype(np.int64).T), shape)
    order = np.argsort(shown, kind="stable")
    shown, known = shown[order], known[order]
    kept, starts, masks = [], [], []
    for i, (start, mask) in enumerate(zip(found.starts, found.masks, strict=True)):
        own = np.ravel_multi_index(tuple((np.argwhere(mask) + start).T), shape)
        low, high = np.searchsorted(shown, own, "left"), np.searchsorted(shown, own, "right")
        if not (high > low).any():
            continue
        hit = np.concatenate([known[a:b] for a, b in zip(low, high, strict=True) if b > a])
        at = np.stack(np.unravel_index(hit, fixed.shape), axis=1)
        crop = np.zeros(np.ptp(at, axis=0) + 1, bool)
        crop[tuple((at - at.min(axis=0)).T)] = True
        kept.append(i)
        starts.append(at.min(axis=0))
        masks.append(crop)
    firsts = np.asarray(starts, np.int64).reshape(-1, fixed.ndim)
    chosen = found.chosen(np.asarray(kept, np.int64))
    return replace(chosen, starts=firsts, masks=tuple(masks), geometry=fixed)


def _touching(edges: Array, grid: Geometry) -> Array:
    return np.asarray(((edges[:, 1] > -0.5) & (edges[:, 0] < np.asarray(grid.shape) - 0.5)).all(axis=1))

