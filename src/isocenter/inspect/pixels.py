"""A checksum of what an image shows, whatever file it came from."""

from __future__ import annotations

import hashlib

import numpy as np

from isocenter.data import Image
from isocenter.ops.array import Array


def pixel_sha256(image: Image | Array) -> str:
    """Hex digest of shape and values: equal for the same pixels in another format, number type, or as grey in colour.

    Whole numbers are taken in the smallest type that holds them, so an 8-bit PNG and the same grey levels in a 16-bit
    TIFF agree. Equal channels count as one.

    >>> pixel_sha256(np.array([[0, 7]], np.uint8)) == pixel_sha256(np.array([[0.0, 7.0]]))
    True
    """
    array = image.pixels() if isinstance(image, Image) else np.asarray(image)
    if isinstance(image, Image) and "c" in image.axes:
        array = one_channel(array, image.axes.index("c"))
    array = smallest(array)
    digest = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def one_channel(array: Array, axis: int) -> Array:
    """The array without its axis of channels where all of them are equal."""
    first = np.take(array, [0], axis=axis)
    return np.take(array, 0, axis=axis) if (array == first).all() else array


def smallest(array: Array) -> Array:
    """The same values in the one type that their range decides, little endian."""
    if array.dtype == bool:
        array = array.astype(np.uint8)
    if array.dtype.kind == "f":
        whole = np.isfinite(array).all() and (array == np.rint(array)).all() and np.abs(array).max(initial=0) < 2**53
        if not whole:
            with np.errstate(over="ignore"):
                narrow = array.astype(np.float32)
            exact = array.dtype.itemsize <= 4 or np.array_equal(narrow.astype(array.dtype), array, equal_nan=True)
            out = narrow if exact else array.astype(np.float64)
            # All kinds of NaN are one; so are the two zeros.
            return np.where(np.isnan(out), out.dtype.type("nan"), out + out.dtype.type(0)).astype(out.dtype.str)
        array = array.astype(np.int64)
    low, high = int(array.min(initial=0)), int(array.max(initial=0))
    types = ("u1", "<u2", "<u4", "<u8") if low >= 0 else ("i1", "<i2", "<i4", "<i8")
    fits = next(t for t in types if np.iinfo(t).min <= low and high <= np.iinfo(t).max)
    return array.astype(fits, copy=False)
