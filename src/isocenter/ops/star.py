"""Star-shaped outlines around many centres at once: the closed path over rays that parts dark from bright best.

Sources: Timp & Karssemeijer, A new 2D segmentation method based on dynamic programming applied to computer aided
detection in mammography, Med. Phys. 31 (2004) 958; radii in equal ratios, and each image smoothed with its radius, make
the answer the same at every size (Lindeberg, Feature detection with automatic scale selection, Int. J. Comput. Vis. 30
(1998) 79).
"""

from __future__ import annotations

import numpy as np

from isocenter.ops.array import Array
from isocenter.ops.kernel import kernel

# Radii that make the bands within and outside an outline.
INSIDE, OUTSIDE = 5, 4
# SD of the Gaussian as a share of the radius, and the least in pixels.
SHARE, LEAST = 0.11, 0.7
# A direction counts no more and no less than this, so that one bright edge does not outweigh all others, and this where
# the band outside leaves the image.
MOST, FEWEST, BEYOND = 1.5, -1.0, -0.3
# Steps of radius between two directions at most, and the price of one step; of several its square.
TURN, PRICE = 2, 0.05


def scales(values: Array, radii: Array) -> Array:
    """An image smoothed for each radius: float32 (k, y, x).

    Parameters
    ----------
    values
        (y, x), finite.
    radii
        (k,) pixels.
    """
    from scipy import ndimage

    image = np.asarray(values, np.float32)
    return np.stack([ndimage.gaussian_filter(image, max(LEAST, SHARE * r), mode="nearest") for r in radii])


def star_outlines(
    planes: Array, radii: Array, centres: Array, weights: Array, *, bias: Array | None = None
) -> tuple[Array, Array]:
    """The outline around each centre whose surroundings are brighter than its inside, in as many directions as can be.

    Parameters
    ----------
    planes
        (k, y, x): the image as it is seen at each radius, see `scales`; its unit is what the contrasts are cut at.
    radii
        (k,) pixels, rising in one ratio; the first 5 and the last 4 are no outline, but seen from one.
    centres
        (n, 2): (y, x).
    weights
        (a,): how much each direction counts; direction i is at angle 2 pi i / a from +x towards +y.
    bias
        (a, k): what a radius in a direction is worth beforehand, on the scale of the contrasts; None: nothing.

    Returns
    -------
    outlines
        int64 (n, a): which radius in each direction.
    contrasts
        float32 (n, a), -1 to 1.5: mean of the band outside less that of the band inside.
    """
    if len(radii) <= INSIDE + OUTSIDE:
        return np.zeros((len(centres), len(weights)), np.int64), np.full((len(centres), len(weights)), -1, np.float32)
    return _search(
        np.ascontiguousarray(planes, np.float32),
        np.ascontiguousarray(radii, np.float64),
        np.ascontiguousarray(centres, np.float64),
        np.ascontiguousarray(weights, np.float32),
        np.zeros((len(weights), len(radii)), np.float32) if bias is None else np.ascontiguousarray(bias, np.float32),
    )


@kernel
def _search(planes: Array, radii: Array, centres: Array, weights: Array, bias: Array) -> tuple[Array, Array]:
    directions = len(weights)
    outlines = np.zeros((len(centres), directions), np.int64)
    contrasts = np.zeros((len(centres), directions), np.float32)
    gains = np.zeros((directions, len(radii)), np.float32)
    for i in range(len(centres)):
        for a in range(directions):
            _gains(planes, radii, centres[i], 2 * np.pi * a / directions, gains[a])
        free = _path(gains + bias, weights, -1)
        closed = _path(gains + bias, weights, free[directions])
        for a in range(directions):
            outlines[i, a] = closed[a + 1]
            contrasts[i, a] = gains[a, closed[a + 1]]
    return outlines, contrasts


@kernel
def _gains(planes: Array, radii: Array, centre: Array, angle: float, out: Array) -> None:
    """What an outline at each radius of one direction is worth."""
    n = len(radii)
    sums = np.zeros(n + 1)
    reach = n
    for k in range(n):
        y = centre[0] + radii[k] * np.sin(angle)
        x = centre[1] + radii[k] * np.cos(angle)
        top, left = int(np.floor(y)), int(np.floor(x))
        if top < 0 or left < 0 or top >= planes.shape[1] - 1 or left >= planes.shape[2] - 1:
            reach = k
            break
        down, right = y - top, x - left
        plane = planes[k]
        upper = plane[top, left] * (1 - right) + plane[top, left + 1] * right
        lower = plane[top + 1, left] * (1 - right) + plane[top + 1, left + 1] * right
        sums[k + 1] = sums[k] + upper * (1 - down) + lower * down
    for k in range(n):
        if k < INSIDE or k >= n - OUTSIDE or k > reach:
            out[k] = FEWEST
        elif k + 1 + OUTSIDE > reach:
            out[k] = BEYOND
        else:
            inside = (sums[k] - sums[k - INSIDE]) / INSIDE
            outside = (sums[k + 1 + OUTSIDE] - sums[k + 1]) / OUTSIDE
            out[k] = min(max(outside - inside, FEWEST), MOST)


@kernel
def _path(gains: Array, weights: Array, start: int) -> Array:
    """The best path: once around from `start` and back to it, or, where that is -1, twice around from anywhere."""
    directions, n = gains.shape
    low, high = INSIDE, n - OUTSIDE
    length = directions if start >= 0 else 2 * directions
    worth = np.full(n, -np.inf)
    if start >= 0:
        worth[start] = 0
    else:
        worth[low:high] = 0
    came = np.zeros((length + 1, n), np.int64)
    for a in range(length):
        further = np.full(n, -np.inf)
        for k in range(low, high):
            for m in range(max(low, k - TURN), min(high, k + TURN + 1)):
                value = worth[m] - PRICE * (m - k) ** 2
                if value > further[k]:
                    further[k] = value
                    came[a + 1, k] = m
            further[k] += gains[a % directions, k] * weights[a % directions]
        worth = further
    path = np.zeros(length + 1, np.int64)
    path[length] = start if start >= 0 else np.argmax(worth)
    for a in range(length, 0, -1):
        path[a - 1] = came[a, path[a]]
    return path
