"""Pixel values as a network wants them, channel by channel.

A channel of one single value becomes 0 wherever its own spread would be divided by.
"""

from __future__ import annotations

import numpy as np

from isocenter.ops.array import Array

# Own percentiles are taken from about this many pixels of larger channels, an odd number apart: no column is left out.
SAMPLE = 1 << 22


def standardise(array: Array) -> Array:
    """float32 (c, *grid) with mean 0 and SD 1 per channel."""
    out = np.array(array, np.float32)
    for i, source in enumerate(array):
        # numpy sums float32 pairwise; float64 keeps large offsets (CT at -1024, 16-bit counts) exact enough.
        mean, sd = float(source.mean(dtype=np.float64)), float(source.std(dtype=np.float64))
        out[i] -= np.float32(mean)
        out[i] *= np.float32(1.0 / sd if sd > 1e-6 * max(1.0, abs(mean)) else 0.0)
    return out


def percentile(array: Array, low: float = 0.5, high: float = 99.5) -> Array:
    """float32 (c, *grid): own percentiles `low`, `high` of each channel to 0 and 1, clipped, then (x - 0.5) / 0.25."""
    out = np.array(array, np.float32)
    for i, source in enumerate(array):
        flat = source.ravel()
        a, b = np.percentile(flat[:: flat.size // SAMPLE | 1], (low, high))
        if b - a <= 1e-6 * max(1.0, abs(a)):
            out[i] = 0.5
            continue
        out[i] -= np.float32(a)
        out[i] *= np.float32(1.0 / (b - a))
        np.clip(out[i], 0.0, 1.0, out=out[i])
    return (out - np.float32(0.5)) * np.float32(4.0)


def window(array: Array, low: float, high: float, *, mean: float | None = None, sd: float | None = None) -> Array:
    """float32 (c, *grid): clipped to `low`..`high`, then `mean` and `sd` removed.

    Parameters
    ----------
    array
        (c, *grid) in the image's unit.
    low, high
        In the same unit, low < high.
    mean, sd
        Of clipped training values, in the same unit; None: the middle and a quarter of the window, as in `percentile`.
    """
    out = np.array(array, np.float32)
    np.clip(out, low, high, out=out)
    out -= np.float32((low + high) / 2 if mean is None else mean)
    out *= np.float32(1.0 / (sd or (high - low) / 4))
    return out


def rescale(array: Array, dtype: str) -> Array:
    """float32 (c, *grid) divided by the largest value of the type `dtype` (numpy's name); floats and bools stay."""
    kind = np.dtype(dtype)
    out = np.array(array, np.float32)
    if kind.kind in "iu":
        out *= np.float32(1.0 / np.iinfo(kind).max)
    return out
