"""The values that pixels may take, and pixels brought back among them."""

from __future__ import annotations

import numpy as np

from isocenter.ops.array import Array

# Types so narrow that images use the whole of them; wider ones hold what a scanner happened to give.
NARROW = ("bool", "uint8", "int8")


def span(array: Array, dtype: str = "") -> tuple[float, float]:
    """Lowest and highest value that a pixel may take: of a type of 8 bits or less its range, else the array's own.

    Parameters
    ----------
    array
        Pixels, finite.
    dtype
        numpy's name of the stored type; default that of `array`.

    >>> span(np.array([3, 90], np.uint8)), span(np.array([-1000, 2000], np.int16))
    ((0.0, 255.0), (-1000.0, 2000.0))
    """
    kind = np.dtype(dtype or array.dtype)
    if kind.kind == "b":
        return 0.0, 1.0
    if kind.name in NARROW:
        return float(np.iinfo(kind).min), float(np.iinfo(kind).max)
    return float(array.min()), float(array.max())


def stored(array: Array, dtype: str, limits: tuple[float, float]) -> Array:
    """The values as a file of that type would hold them: clipped to `limits`, whole numbers where the type has no
    others.

    >>> stored(np.array([-0.4, 2.6, 300.0]), "uint8", (0.0, 255.0)).tolist()
    [0, 3, 255]
    """
    kind = np.dtype(dtype)
    clipped = np.clip(np.asarray(array, np.float64), *limits)
    return (np.rint(clipped) if kind.kind in "biu" else clipped).astype(kind)
