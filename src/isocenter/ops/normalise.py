"""Pixel values as a network wants them, channel by channel.

A channel of one single value becomes 0 wherever its own spread would be divided by.
"""

from __future__ import annotations

import numpy as np

from isocenter.ops.array import Array

# Own percentiles are taken from about this many pixels, evenly spaced, of larger channels.
SAMPLE = 1 << 22


def standardise(array: Array) -> Array:
    """float32 (c, *grid) with mean 0 and SD 1 per channel."""
    out = np.empty(array.shape, np.float32)
    for channel, source in zip(out, array, strict=True):
        # numpy sums float32 pairwise; float64 keeps large offsets (CT at -1024, 16-bit counts) exact enough.
        mean, sd = float(source.mean(dtype=np.float64)), float(source.std(dtype=np.float64))
        np.subtract(source, mean, out=channel, dtype=np.float32, casting="unsafe")
        channel *= np.float32(1.0 / sd if sd > 1e-6 * max(1.0, abs(mean)) else 0.0)
    return out


def percentile(array: Array, low: float = 0.5, high: float = 99.5) -> Array:
    """float32 (c, *grid): own percentiles `low` and `high` of each channel to 0 and 1, clipped, then (x - 0.5) / 0.25."""
    out = np.empty(array.shape, np.float32)
    for channel, source in zip(out, array, strict=True):
        flat = source.ravel()
        a, b = np.percentile(flat[:: max(1, flat.size // SAMPLE)], (low, high))
        if b - a <= 1e-6 * max(1.0, abs(a)):
            channel[...] = 0.0
            continue
        _scaled(source, float(a), float(b), channel)
        channel -= 0.5
        channel *= 4.0
    return out


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
    out = np.clip(array, low, high, dtype=np.float32, casting="unsafe")
    out -= np.float32((low + high) / 2 if mean is None else mean)
    out *= np.float32(1.0 / ((high - low) / 4 if not sd else sd))
    return out


def rescale(array: Array, dtype: str) -> Array:
    """float32 (c, *grid) divided by the largest value of the data type `dtype` (numpy's name); floats and bools stay."""
    kind = np.dtype(dtype)
    out = np.array(array, np.float32)
    if kind.kind in "iu":
        out *= np.float32(1.0 / np.iinfo(kind).max)
    return out


def _scaled(source: Array, low: float, high: float, out: Array) -> None:
    np.subtract(source, low, out=out, dtype=np.float32, casting="unsafe")
    out *= np.float32(1.0 / (high - low))
    np.clip(out, 0.0, 1.0, out=out)
