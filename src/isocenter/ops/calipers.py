"""The longest diameter of a lesion in a plane, and the longest one at right angles to it, as radiologists measure.

The outline of a mask runs through the middles of the outer faces of its pixels, as in `isocenter.ops.morphometry`.

Source: Eisenhauer et al., Eur. J. Cancer 45 (2009) 228, sections 3.1 and 3.2 (longest diameter in the plane of
measurement; of lymph nodes the short axis).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isocenter.errors import InputError
from isocenter.ops.array import Array


@dataclass(frozen=True, eq=False)
class Calipers:
    """Two diameters at right angles in one plane.

    Parameters
    ----------
    longest, short
        In the unit of the spacing.
    plane
        Index of the slice along the first axis; 0 of a flat mask.
    ends
        float64 (4, 2): index (row, column) of both ends of the longest, then of the short one.
    """

    longest: float
    short: float
    plane: int
    ends: Array


def calipers(mask: Array, spacing: Sequence[float]) -> Calipers:
    """The diameters in the slice in which the longest is longest.

    Parameters
    ----------
    mask
        bool (y, x), or (z, y, x) with slices along the first axis.
    spacing
        Of a pixel along rows and columns (the last two axes).

    Raises
    ------
    InputError
        No pixel, or neither two nor three axes.

    >>> found = calipers(np.ones((1, 9), bool), (1.0, 0.5))
    >>> found.longest, found.short
    (4.5, 1.0)
    """
    if mask.ndim not in (2, 3) or not mask.any():
        raise InputError("no region to measure", got=f"{mask.shape}, {int(mask.sum())} pixels")
    planes = mask[None] if mask.ndim == 2 else mask
    steps = np.asarray(spacing, float)[-2:]
    found = [_flat(planes[z], steps, int(z)) for z in np.flatnonzero(planes.any(axis=(1, 2)))]
    return max(found, key=lambda c: c.longest)


def _flat(mask: Array, steps: Array, plane: int) -> Calipers:
    from scipy.spatial import ConvexHull

    points = _faces(mask) * steps
    corners = points[ConvexHull(points).vertices]
    apart = corners[:, None] - corners[None]
    squared = (apart**2).sum(-1)
    # Of several longest ones the same is taken every time, whatever rounding says.
    i, j = np.unravel_index(int(np.argmax(np.round(squared, 9))), squared.shape)
    longest = float(np.sqrt(squared[i, j]))
    ends, short = _across(corners, corners[i], (corners[j] - corners[i]) / longest)
    return Calipers(longest, short, plane, np.concatenate([[corners[i], corners[j]], ends]) / steps)


def _faces(mask: Array) -> Array:
    """Index (k, 2) of the middles of the outermost faces along every row and column."""
    out = []
    for axis in (0, 1):
        lines = np.moveaxis(mask, axis, -1)
        held = np.flatnonzero(lines.any(-1)).astype(float)
        some = lines[lines.any(-1)]
        first, last = some.argmax(-1) - 0.5, lines.shape[-1] - 0.5 - some[:, ::-1].argmax(-1)
        out += [np.stack([held, end] if axis == 1 else [end, held], axis=1) for end in (first, last)]
    return np.concatenate(out)


def _across(corners: Array, start: Array, along: Array) -> tuple[Array, float]:
    """Both ends and the length of the longest chord of a convex outline at right angles to a direction."""
    across = np.array([-along[1], along[0]])
    u, v = (corners - start) @ along, (corners - start) @ across
    at = np.unique(np.round(u, 9))
    upper, lower = (_envelope(u, v * sign, at) * sign for sign in (1.0, -1.0))
    best = int(np.argmax(upper - lower))
    ends = start + at[best] * along + np.stack([lower[best] * across, upper[best] * across])
    return ends, float(upper[best] - lower[best])


def _envelope(u: Array, v: Array, at: Array) -> Array:
    """The upper border of a convex outline at places along it."""
    order = np.lexsort((v, u))
    u, v = u[order], v[order]
    kept: list[int] = []
    for i in range(len(u)):
        while len(kept) > 1 and _turns(u, v, kept[-2], kept[-1], i) >= 0:
            kept.pop()
        kept.append(i)
    # Of corners one above the other the upper one counts.
    kept = [k for n, k in enumerate(kept) if n + 1 == len(kept) or u[kept[n + 1]] > u[k] + 1e-9]
    return np.asarray(np.interp(at, u[kept], v[kept]))


def _turns(u: Array, v: Array, a: int, b: int, c: int) -> float:
    return float((u[b] - u[a]) * (v[c] - v[a]) - (v[b] - v[a]) * (u[c] - u[a]))
