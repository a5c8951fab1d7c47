"""Gaussians along the axes of a grid, many channels at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isocenter.ops.array import Array
from isocenter.ops.kernel import kernel

# Standard deviations at which a Gaussian is cut, and below which pixels are left alone.
REACH, LEAST = 3.0, 0.2


def gaussian(values: Array, sigma: Sequence[float] | Array) -> Array:
    """Channels smoothed by a Gaussian that is cut at 3 standard deviations; beyond the edge the edge is repeated.

    Parameters
    ----------
    values
        (c, *grid), two or three axes, finite.
    sigma
        Standard deviation per axis, in its pixels; below 0.2 an axis is left alone.

    Returns
    -------
    float32 (c, *grid).

    >>> [round(float(v), 3) for v in gaussian(np.eye(1, 5), (1.0,))[0]]
    [0.7, 0.3, 0.058, 0.004, 0.0]
    """
    out = np.array(values, np.float32, order="C")
    for axis, (length, width) in enumerate(zip(out.shape[1:], sigma, strict=True), start=1):
        if length == 1 or width < LEAST:
            continue
        weights = taps(width)
        flat = out.reshape(int(np.prod(out.shape[:axis])), length, -1)
        if flat.shape[2] == 1:
            _along(flat.reshape(-1, length), weights)
        else:
            _across(flat, weights)
    return out


def taps(sigma: float) -> Array:
    """Weights (2 r + 1,) of a Gaussian sampled at whole pixels; they sum to 1."""
    reach = max(int(REACH * sigma + 0.5), 1)
    weights = np.exp(-0.5 * np.square(np.arange(-reach, reach + 1) / sigma))
    return np.asarray(weights / weights.sum(), np.float32)


@kernel
def _along(rows: Array, weights: Array) -> None:
    """In place, along the last axis of (n, length)."""
    n, length = rows.shape
    reach = len(weights) // 2
    held = np.empty(length + 2 * reach, np.float32)
    for i in range(n):
        row = rows[i]
        for x in range(reach):
            held[x] = row[0]
            held[reach + length + x] = row[length - 1]
        for x in range(length):
            held[reach + x] = row[x]
            row[x] = np.float32(0)
        for k in range(2 * reach + 1):
            w = weights[k]
            part = held[k : k + length]
            for x in range(length):
                row[x] += w * part[x]


@kernel
def _across(blocks: Array, weights: Array) -> None:
    """In place, along the middle axis of (n, length, width)."""
    n, length, width = blocks.shape
    reach = len(weights) // 2
    # A strip at a time, so that what is read again and again stays in the nearest cache.
    strip = 256
    held = np.empty((length, strip), np.float32)
    for i in range(n):
        block = blocks[i]
        for low in range(0, width, strip):
            wide = min(strip, width - low)
            for y in range(length):
                source = block[y, low : low + wide]
                for x in range(wide):
                    held[y, x] = source[x]
            for y in range(length):
                target = block[y, low : low + wide]
                for x in range(wide):
                    target[x] = np.float32(0)
                for k in range(2 * reach + 1):
                    part = held[min(max(y + k - reach, 0), length - 1)]
                    w = weights[k]
                    for x in range(wide):
                        target[x] += w * part[x]
