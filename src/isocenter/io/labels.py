"""Label maps as whole numbers, whatever they were stored as."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from isocenter.data import Image
from isocenter.errors import LabelError
from isocenter.io.grid import numbers
from isocenter.ops.array import Array


def whole(path: str | Path, array: Array) -> Array:
    """The array as whole numbers.

    Raises
    ------
    LabelError
        A value is not finite or not whole; names the first few.
    """
    if array.dtype == bool:
        return array.astype(np.uint8)
    if array.dtype.kind in "ui":
        return array
    with np.errstate(invalid="ignore"):
        odd = ~(np.isfinite(array) & (array == np.round(array)) & (np.abs(array) < 2**31))
    if odd.any():
        raise LabelError(
            "labels that are not whole numbers", where=str(path), got=numbers(np.unique(array[odd])[:3]),
            wanted="whole numbers", remedy="A soft map needs a threshold first",
        )
    return array.astype(np.int32)


def single(path: str | Path, image: Image, array: Array) -> Array:
    """One number per pixel of the spatial grid: equal colour channels collapse, a full alpha channel is dropped.

    Raises
    ------
    LabelError
        Channels differ, or there are several frames.
    """
    for axis in "tc":
        if axis not in image.axes or array.ndim == image.ndim:
            continue
        at = image.axes.index(axis)
        array = np.moveaxis(array, at, 0)
        if image.channels[-1:] == ("alpha",) and axis == "c":
            if (array[-1] != 255).any():
                raise LabelError("a mask that is partly transparent", where=str(path), wanted="one number per pixel")
            array = array[:-1]
        if (array != array[:1]).any():
            what = "channels" if axis == "c" else "frames"
            raise LabelError(
                f"a label map of {len(array)} different {what}", where=str(path), wanted="one number per pixel",
                remedy="Turn its colours into numbers first" if axis == "c" else "Give one file a frame",
            )
        array = array[0]
    return np.ascontiguousarray(array)


