"""How far one image lies from another that shows part of the same: correlation at every shift, over what overlaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isocenter.ops.array import Array

# Variance of an overlap, as a share of the image's own, below which it is flat.
FLAT = 1e-4


@dataclass(frozen=True, eq=False)
class Offset:
    """Where the second image lies in the first.

    Parameters
    ----------
    shift
        float64 (axes,): index in the first image of the second's pixel 0.
    likeness
        Correlation coefficient of the overlap at the nearest whole shift.
    share
        Of the smaller image that overlaps.
    """

    shift: Array
    likeness: float
    share: float


def offset(
    first: Array, second: Array, *, least: float = 0.05, near: Array | None = None, reach: float = np.inf
) -> Offset | None:
    """The shift at which two images are most surely alike.

    The correlation coefficient of the overlap at every whole shift, by FFT (Padfield, IEEE TIP 21 (2012) 2706), is
    weighed as Fisher's z by the root of the overlap: a thin overlap is alike by chance. The peak is interpolated by a
    parabola along each axis.

    Parameters
    ----------
    first, second
        (*grid) numbers, finite, at the same spacing.
    least
        Smallest overlap, as a share of the smaller image.
    near, reach
        Only shifts whose distance to `near` (axes,) is at most `reach` pixels along each axis.

    Returns
    -------
    None where no shift is allowed or all overlaps are flat.

    >>> picture = np.random.default_rng(0).random((8, 8))
    >>> offset(picture, picture[2:, 2:], least=0.5).shift.round().tolist()
    [2.0, 2.0]
    """
    like, count = correlations(first, second)
    rank = first.ndim
    lows = -np.asarray(second.shape) + 1
    smaller = float(min(first.size, second.size))
    with np.errstate(invalid="ignore", divide="ignore"):
        sure = np.arctanh(np.clip(like, -0.999999, 0.999999)) * np.sqrt(count / smaller)
    allowed = count >= least * smaller
    if near is not None:
        for axis in range(rank):
            away = np.abs(np.arange(like.shape[axis]) + lows[axis] - near[axis]) <= reach
            allowed &= away.reshape([-1 if a == axis else 1 for a in range(rank)])
    sure = np.where(allowed & np.isfinite(sure), sure, -np.inf)
    best = np.unravel_index(int(sure.argmax()), sure.shape)
    if not sure[best] > 0:
        return None
    shift = np.array([b + low + _peak(like, best, axis) for axis, (b, low) in enumerate(zip(best, lows, strict=True))])
    return Offset(shift, float(like[best]), float(count[best]) / smaller)


def correlations(first: Array, second: Array) -> tuple[Array, Array]:
    """Correlation coefficient of the overlap, and its pixels, at each shift.

    Returns
    -------
    Both float64 (*(first + second - 1)): element i belongs to the shift i - second + 1; NaN where an overlap is flat.
    """
    from scipy import fft

    full = tuple(a + b - 1 for a, b in zip(first.shape, second.shape, strict=True))
    size = [fft.next_fast_len(n, real=True) for n in full]
    sides = []
    for image in (first, second):
        values = np.asarray(image, np.float64)
        values = values - values.mean()
        sides.append([fft.rfftn(v, size) for v in (values, values * values, np.ones(values.shape))])
    a, b = sides
    roll = tuple(n - 1 for n in second.shape)

    def together(p: Array, q: Array) -> Array:
        out = np.roll(fft.irfftn(p * np.conj(q), size), roll, tuple(range(first.ndim)))
        return np.asarray(out[tuple(slice(n) for n in full)])

    count = np.maximum(np.round(together(a[2], b[2])), 1.0)
    sum_a, sum_b = together(a[0], b[2]), together(a[2], b[0])
    spread_a = together(a[1], b[2]) - sum_a**2 / count
    spread_b = together(a[2], b[1]) - sum_b**2 / count
    flat = (spread_a / count <= FLAT * first.var()) | (spread_b / count <= FLAT * second.var())
    with np.errstate(invalid="ignore", divide="ignore"):
        like = (together(a[0], b[0]) - sum_a * sum_b / count) / np.sqrt(spread_a * spread_b)
    return np.where(flat, np.nan, np.clip(like, -1.0, 1.0)), count


def _peak(values: Array, at: tuple[np.intp, ...], axis: int) -> float:
    """Where between its neighbours the peak lies, in [-0.5, 0.5]."""
    if not 0 < at[axis] < values.shape[axis] - 1:
        return 0.0
    left, right = (values[tuple(p + step * (a == axis) for a, p in enumerate(at))] for step in (-1, 1))
    bend = float(left - 2 * values[at] + right)
    return float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5)) if np.isfinite(bend) and bend < 0 else 0.0
