"""Cases cut into slices or frames, lazily, keeping their group."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from isocenter.data.case import Case
from isocenter.data.cases import Entry
from isocenter.data.findings import Finding, Segmentation
from isocenter.data.geometry import Geometry
from isocenter.data.image import Image
from isocenter.errors import InputError
from isocenter.ops.array import Array

AXES = {"slice": "z", "frame": "t"}


def pieces(entry: Entry, unit: str) -> Iterator[Entry]:
    """The slices (along z) or frames (along t) of one entry; opens its header to count them.

    Raises
    ------
    InputError
        `unit` is unknown, or the case has no such axis.
    """
    if unit not in AXES:
        raise InputError("unknown unit to cut into", got=unit, wanted=" or ".join(AXES))
    axis = AXES[unit]
    image = entry.open().image()
    if axis not in image.axes:
        raise InputError(f"no axis {axis} to cut along", where=entry.id, got=image.axes)
    group = entry.group or entry.subject or entry.id

    def opener(index: int) -> Callable[[], Case]:
        return lambda: piece(entry.open(), axis, index, unit)

    for i in range(image.length(axis)):
        yield replace(entry, id=f"{entry.id}#{unit}{i}", group=group, open=opener(i))


def piece(case: Case, axis: str, index: int, unit: str) -> Case:
    """One slice or frame of a case, with its truth cut alike."""
    images = {role: take(im, axis, index) for role, im in case.images.items() if axis in im.axes}
    load = case.load_truth

    def truth() -> Finding:
        assert load is not None
        found = load()
        return cut_labels(found, index) if isinstance(found, Segmentation) and axis == "z" else found

    group = case.group or case.subject or case.id
    name = f"{case.id}#{unit}{index}"
    return replace(case, id=name, images=images, group=group, load_truth=truth if load else None)


def take(image: Image, axis: str, index: int) -> Image:
    """One index along an axis; the axis disappears."""
    at = image.axes.index(axis)
    geometry = plane(image.geometry, index) if axis == "z" else image.geometry
    times = None if axis == "t" else image.times

    def load() -> Array:
        # Files of one index each need not all be read for one of them.
        alone = image.load.piece(axis, index) if hasattr(image.load, "piece") else None
        return np.take(image.pixels(), index, axis=at) if alone is None else np.asarray(alone)

    return image.replaced(
        load,
        shape=image.shape[:at] + image.shape[at + 1 :],
        axes=image.axes.replace(axis, ""),
        geometry=geometry,
        times=times,
        channels=() if axis == "c" else image.channels,
    )


def plane(geometry: Geometry, index: int) -> Geometry:
    """The 2D grid of one slice, still in its place in a 3D world."""
    m = geometry.matrix
    if m is None:
        return Geometry(geometry.shape[1:])
    m = m.copy()
    m[:-1, -1] += m[:-1, 0] * index
    return Geometry(geometry.shape[1:], tuple(map(tuple, m[:, 1:].tolist())), geometry.frame)


def cut_labels(found: Segmentation, index: int) -> Segmentation:
    """One slice of a 3D label map."""
    return Segmentation(np.ascontiguousarray(found.labels[index]), found.names, plane(found.geometry, index))
