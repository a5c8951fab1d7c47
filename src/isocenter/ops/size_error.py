"""How wrong the size of a region is that was drawn on a grid: by the grid itself, and by where its border was seen.

Two errors are told apart. The *random* one comes from where the grid happens to lie; it differs from lesion to lesion
and adds up like any chance. The *shared* one comes from where the border is seen (reader, window, threshold): all
regions of an examination share it, and it adds up as it is.

Sizes, random: the number of pixels in a region times the size of one, over all places of the grid, has the variance
of Matheron's transitive theory, sum over k of |F(k / h)|^2, where F is the region's Fourier transform; its mean
square far out is S / (8 pi^3 w^4) in space and P / (4 pi^3 w^3) in the plane (w the frequency, S the surface, P the
perimeter), which gives 0.0666 S h^4 and 0.0728 P h^3 on cubic and square grids. Sizes, shared: S times the shift of
the border.

Diameters, random: each end lies within a pixel's half of where it is seen, (h / 2) / sqrt(3) apiece; of a volume, its
widest plane lies up to half a slice t beside the nearest slice, by which a ball of diameter D seems smaller by
2 z^2 / D: a root mean square of t^2 / (sqrt(20) D). Diameters, shared: twice the shift of the border. The longest of
many diameters is besides up to 0.7 pixels too long, the rounder the region the more; of a change most of that cancels.

Source: Matheron, Les variables regionalisees et leur estimation, Paris 1965; Gundersen and Jensen, J. Microscopy 147
(1987) 229. The surface is Cauchy's, from the projections along the axes (Crofton 1868).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from isocenter.ops.array import Array

# Frequencies up to so many per finest pixel are summed one by one; beyond, their integral is taken.
SUMMED = 8.0


def faces(mask: Array, spacing: Sequence[float]) -> Array:
    """float64 (axes,): the area (length) of a mask's outer faces across each axis."""
    steps = np.asarray(spacing, float)
    padded = np.pad(mask, 1).astype(np.int8)
    counts = [np.abs(np.diff(padded, axis=axis)).sum() for axis in range(mask.ndim)]
    return np.asarray(counts * (steps.prod() / steps), float)


def surface(mask: Array, spacing: Sequence[float]) -> float:
    """Surface in mm2 (perimeter in mm in the plane) of a region from its projections: right on average for any shape.

    >>> round(surface(np.ones((1, 1), bool), (1.0, 1.0)), 3)
    3.142
    """
    total = float(faces(mask, spacing).sum())
    return total * (2 / 3 if mask.ndim == 3 else np.pi / 4)


@lru_cache(maxsize=256)
def placing(spacing: tuple[float, ...]) -> float:
    """Variance of a size that was counted on a grid at a random place, over the region's surface (perimeter).

    >>> round(placing((1.0, 1.0, 1.0)), 4), round(placing((1.0, 1.0)), 4)
    (0.0666, 0.0728)
    """
    steps = np.asarray(spacing, float)
    rank, far = len(steps), SUMMED / steps.min()
    axes = [np.arange(-np.floor(far * h), np.floor(far * h) + 1) / h for h in steps]
    squared = sum(a**2 for a in np.meshgrid(*axes, indexing="ij"))
    near = squared[(squared > 0) & (squared <= far**2)]
    power, tail = (4, 4 * np.pi) if rank == 3 else (3, 2 * np.pi)
    total = float((near ** (-power / 2)).sum()) + tail * float(steps.prod()) / far
    return float(total / ((8 if rank == 3 else 4) * np.pi**3))


def size_error(mask: Array, spacing: Sequence[float], border: float | None = None) -> tuple[float, float]:
    """Standard deviations (random, shared) of a region's volume in mm3, or area in mm2.

    Parameters
    ----------
    mask
        bool (y, x) or (z, y, x).
    spacing
        mm per axis.
    border
        Standard deviation in mm of where the border is seen; None: anywhere within half a pixel.
    """
    steps = tuple(float(s) for s in spacing)
    random = float(np.sqrt(placing(steps) * surface(mask, steps)))
    if border is not None:
        return random, surface(mask, steps) * border
    share = 2 / 3 if mask.ndim == 3 else np.pi / 4
    return random, float(share * (faces(mask, steps) * np.asarray(steps)).sum() / np.sqrt(12))


def diameter_error(longest: float, spacing: Sequence[float], border: float | None = None) -> tuple[float, float]:
    """Standard deviations (random, shared) of a diameter in the plane of the last two axes.

    Parameters
    ----------
    longest
        The diameter.
    spacing
        Per axis, the slices' first.
    border
        As in `size_error`.
    """
    pixel = float(np.sqrt(spacing[-1] * spacing[-2]))
    random = pixel / np.sqrt(6)
    if len(spacing) == 3 and longest > 0:
        random = float(np.hypot(random, spacing[0] ** 2 / (np.sqrt(20) * max(longest, spacing[0]))))
    return float(random), 2 * (pixel / np.sqrt(12) if border is None else border)
