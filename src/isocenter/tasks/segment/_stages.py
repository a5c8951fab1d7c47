"""What the stages of a cascade see: the whole image coarsely, the region found there, and what was said about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from isocenter.data import IGNORE, Case, Cases, Finding, Geometry, Image, Segmentation
from isocenter.errors import LabelError
from isocenter.ops.array import Array
from isocenter.ops.resample import resize

Box = tuple[slice, ...]
# An axis of few pixels keeps this share of the coarse side: what is thin already is not made thinner.
THIN = 4
CONTEXT = "context"


def coarse_shape(shape: Sequence[int], side: int) -> tuple[int, ...]:
    """The grid on which the longest axis has `side` pixels at most and none gets needlessly short.

    >>> coarse_shape((24, 512, 512), 64)
    (16, 64, 64)
    """
    factor = max(1.0, max(shape) / side)
    return tuple(max(min(n, side // THIN), round(n / factor)) for n in shape)


def shrunk(image: Image, shape: Sequence[int]) -> Image:
    """The image on a coarser grid of the same box, averaged; whole numbers stay whole. InputError for films."""
    whole = np.dtype(image.dtype).kind in "iu"

    def load() -> Array:
        array = resize(image.channels_first(), shape)
        array = np.rint(array).astype(image.dtype) if whole else array
        return array if "c" in image.axes else array[0]

    kind = image.dtype if whole else "float32"
    return _regrid(image, load, tuple(shape), geometry=image.geometry.resampled(shape), dtype=kind)


def cut(image: Image, box: Box) -> Image:
    """A part of the image, still in its place in the world; InputError for films."""
    start = [s.start for s in box]
    shape = tuple(s.stop - s.start for s in box)

    def load() -> Array:
        part = image.channels_first()[(slice(None), *box)]
        return np.ascontiguousarray(part if "c" in image.axes else part[0])

    return _regrid(image, load, shape, geometry=image.geometry.cropped(start, shape), dtype=image.dtype)


def joined(image: Image, values: Array) -> Image:
    """The image with one channel more, float32; `values` is (*grid)."""

    def load() -> Array:
        array = image.channels_first().astype(np.float32)
        return np.concatenate([array, values[None].astype(np.float32)])

    channels = (*image.channels, CONTEXT) if image.channels else ()
    spatial = image.axes.replace("c", "")
    shape = (image.length("c") + 1, *image.geometry.shape)
    return image.replaced(load, shape=shape, axes=f"c{spatial}", dtype="float32", channels=channels)


def _regrid(
    image: Image, load: Callable[[], Array], shape: tuple[int, ...], *, geometry: Geometry, dtype: str
) -> Image:
    if "t" in image.axes:
        image.channels_first()
    lead = (image.length("c"),) if "c" in image.axes else ()
    return image.replaced(load, shape=(*lead, *shape), geometry=geometry, dtype=dtype)


def anything(labels: Array, shape: Sequence[int]) -> Array:
    """uint8 on a coarser grid: 1 where any region lies, 255 where most is ignored, else 0."""
    masks = np.stack([(labels > 0) & (labels != IGNORE), labels == IGNORE]).astype(np.float32)
    there, ignored = resize(masks, shape)
    return np.where(there > 0, 1, np.where(ignored > 0.5, IGNORE, 0)).astype(np.uint8)


def box_of(coarse: Array, shape: Sequence[int], margin: float) -> Box:
    """Where on the whole grid the coarse region lies, widened on each side by a share of its own extent.

    Parameters
    ----------
    coarse
        Labels on a coarser grid of the same box; 1 and more is the region. The whole grid where there is none.
    shape
        The whole grid.
    margin
        Share of the extent; at least one coarse pixel is added.
    """
    where = np.argwhere((coarse > 0) & (coarse != IGNORE))
    if not len(where):
        return tuple(slice(0, n) for n in shape)
    low, high = where.min(0), where.max(0) + 1
    wide = np.maximum(1.0, margin * (high - low))
    scale = np.asarray(shape) / np.asarray(coarse.shape)
    start = np.floor(np.maximum(0, low - wide) * scale).astype(int)
    stop = np.minimum(np.ceil((high + wide) * scale).astype(int), shape)
    return tuple(slice(int(a), int(b)) for a, b in zip(start, stop, strict=True))


def truth_of(case: Case) -> Segmentation:
    """The case's truth; LabelError where it has none."""
    found = case.truth()
    if not isinstance(found, Segmentation):
        raise LabelError("a training case has no label map", where=case.id)
    return found


def changed(cases: Cases, change: Callable[[Case], Case], **fields: object) -> Cases:
    """The cases, each changed when it is opened."""

    def reopened(open_: Callable[[], Case]) -> Callable[[], Case]:
        return lambda: change(open_())

    entries = tuple(replace(e, open=reopened(e.open)) for e in cases.entries)
    return replace(cases, entries=entries, **fields)  # type: ignore[arg-type]


def seen_as(case: Case, image: Image, truth: Callable[[], Finding] | None) -> Case:
    """The case with another leading image and truth."""
    role = next(r for r, im in case.images.items() if im is case.image())
    return replace(case, images={role: image}, lead=role, load_truth=truth)


def coarsened(case: Case, side: int) -> Case:
    """What stage 1 learns from: the image coarsely, and whether anything is there."""
    shape = coarse_shape(case.image().geometry.shape, side)

    def truth() -> Segmentation:
        found = truth_of(case)
        return Segmentation(
            anything(found.labels, shape), ("background", "foreground"), found.geometry.resampled(shape)
        )

    return seen_as(case, shrunk(case.image(), shape), truth)


def localised(case: Case, side: int, margin: float) -> Case:
    """What stage 2 learns from: the region where the truth lies, as stage 1 would find it."""
    found = truth_of(case)
    whole = case.image().geometry.shape
    box = box_of(anything(found.labels, coarse_shape(whole, side)), whole, margin)
    part = cut(case.image(), box)

    def truth() -> Segmentation:
        return Segmentation(np.ascontiguousarray(found.labels[box]), found.names, part.geometry)

    return seen_as(case, part, truth)
