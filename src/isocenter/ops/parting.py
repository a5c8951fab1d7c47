"""Sizes and places that speak for the division of one object into two."""

from __future__ import annotations

import numpy as np

from isocenter.ops.array import Array

# Sizes of daughters by the mother's; how far their middle may lie from where she would be, by their distance.
HALVES, BALANCE = (0.2, 0.85), 0.5
# Where their sizes add up to hers and are alike they may lie farther off.
PARTS, ALIKE, SIZED = (0.6, 1.4), 0.5, 1.0


def unlike(one: Array, two: Array) -> Array:
    """Squared logarithm of the ratio of two sizes, (n,); 0 where one is unknown.

    >>> unlike(np.array([10.0, 10.0]), np.array([10.0, np.nan])).tolist()
    [0.0, 0.0]
    """
    known = (one > 0) & (two > 0)
    ratio = np.divide(two, one, out=np.ones(len(one)), where=known)
    return np.asarray(np.log(ratio) ** 2)


def fell(before: Array, now: Array) -> Array:
    """Whether objects fell to a size that a daughter may have, bool (n,); False where a size is unknown."""
    return np.asarray((now >= HALVES[0] * before) & (now <= HALVES[1] * before) & (before > 0))


def parted(whole: Array, one: Array, two: Array, off: Array) -> Array:
    """Whether two parts may come from a whole.

    Parameters
    ----------
    whole, one, two
        float64 (n,): sizes; NaN where they are unknown, which speaks neither for nor against.
    off
        float64 (n,): how far the middle of the parts lies from where the whole would be, by their distance.

    Returns
    -------
    bool (n,).
    """
    # An unknown size is not out of range.
    halves = ~(((one < HALVES[0] * whole) | (one > HALVES[1] * whole) | (two < HALVES[0] * whole)
                | (two > HALVES[1] * whole)) & (whole > 0))
    return np.asarray(halves & (off <= np.where(sized(whole, one, two), SIZED, BALANCE)))


def sized(whole: Array, one: Array, two: Array) -> Array:
    """Whether the sizes by themselves speak for two parts of a whole, bool (n,); False where one is unknown."""
    total, least, most = one + two, np.minimum(one, two), np.maximum(one, two)
    alike = (least >= ALIKE * most) & (least >= HALVES[0] * whole) & (most <= HALVES[1] * whole)
    return np.asarray(alike & (total >= PARTS[0] * whole) & (total <= PARTS[1] * whole) & (whole > 0))
