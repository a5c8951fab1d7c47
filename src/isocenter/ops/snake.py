"""Active contours in the plane, moved greedily: every point to the best place near it, one after the other.

Sources: Williams, Shah, A fast algorithm for active contours and curvature estimation, CVGIP: Image Understanding 55
(1992) 14; the region's term after Ronfard, Region-based strategies for active contour models, Int. J. Comput. Vis. 13
(1994) 229.
"""

from __future__ import annotations

import numpy as np

from isocenter.ops.array import Array
from isocenter.ops.kernel import kernel

# Pixels between neighbouring points; fewer points than LEAST make no contour, more than MOST only cost time.
GAP, LEAST, MOST = 3.0, 8, 400
# Rounds between two looks at what is inside, and the share of points whose moves are too few to go on.
BLOCK, STILL = 5, 0.03
# A point is a corner where its turning exceeds this and the edge is this strong: Williams & Shah's thresholds.
TURNING, STRONG = 0.25, 0.4
# Differences of an edge map within a neighbourhood below this share of its range are noise (5 of 255 in the paper).
FLAT = 0.02


def contour(mask: Array) -> Array:
    """The outer boundary of a mask as points.

    Parameters
    ----------
    mask
        Boolean (y, x); of several parts, the longest boundary is taken.

    Returns
    -------
    int64 (n, 2) pixels (y, x) about 3 pixels apart, with positive area; (0, 2) where fewer than 8 would do.
    """
    from skimage.measure import find_contours

    # Just within the outermost pixels' centres, so that rounding leads back to them and not beyond.
    found = find_contours(np.pad(mask.astype(np.float32), 1), 0.99)
    if not found:
        return np.zeros((0, 2), np.int64)
    return resampled(max(found, key=len)[:-1] - 1.0, mask.shape)


def resampled(points: Array, shape: tuple[int, ...]) -> Array:
    """A closed polygon (n, 2) as points at equal distances, within an image of `shape`; returns as `contour`."""
    closed = np.concatenate([points, points[:1]]).astype(np.float64)
    steps = np.hypot(*np.diff(closed, axis=0).T)
    way = np.concatenate([[0.0], np.cumsum(steps)])
    n = min(int(way[-1] / GAP), MOST)
    if n < LEAST:
        return np.zeros((0, 2), np.int64)
    at = np.linspace(0.0, way[-1], n, endpoint=False)
    even = np.stack([np.interp(at, way, closed[:, axis]) for axis in (0, 1)], axis=1)
    whole = np.clip(np.round(even), 0, np.array(shape) - 1).astype(np.int64)
    return whole if area(whole) >= 0 else np.ascontiguousarray(whole[::-1])


def area(points: Array) -> float:
    """Signed area of a polygon (n, 2) in pixels.

    >>> area(np.array([[0, 0], [0, 2], [2, 2], [2, 0]]))
    -4.0
    """
    y, x = np.asarray(points, np.float64).T
    return float((y * np.roll(x, -1) - np.roll(y, -1) * x).sum() / 2)


def enclosed_by(points: Array, shape: tuple[int, ...]) -> Array:
    """Boolean (y, x): pixels within a polygon, those under its points too."""
    from skimage.draw import polygon

    mask = np.zeros(shape, bool)
    mask[polygon(points[:, 0], points[:, 1], shape)] = True
    mask[points[:, 0], points[:, 1]] = True
    return mask


def settled(points: Array, values: Array, edge: Array, *, weights: tuple[float, ...], rounds: int) -> Array:
    """A contour moved until it rests.

    Parameters
    ----------
    points
        As `contour` gives them.
    values
        float32 (y, x): what the region's term looks at.
    edge
        float32 (y, x), 0 to 1: strength of edges.
    weights
        Of continuity, curvature, edge and region.
    rounds
        At most.

    Returns
    -------
    Points as `contour` gives them; those given where the contour collapsed.
    """
    force = np.asarray(weights, np.float64)
    current = points.copy()
    for _ in range(-(-rounds // BLOCK)):
        region = likeness(values, enclosed_by(current, values.shape))
        moved = _moved(current, edge, region, force, BLOCK)
        # Over the mask, so that loops are gone: where the line crosses itself, outwards would be inwards.
        again = contour(enclosed_by(current, values.shape))
        if len(again) == 0:
            return points
        current = again
        if moved <= STILL * BLOCK * len(current):
            break
    return current


def likeness(values: Array, mask: Array) -> Array:
    """float32, -1 to 1: how much more a pixel is like the mean inside a mask than like that outside (Chan & Vese)."""
    if mask.all() or not mask.any():
        return np.zeros(values.shape, np.float32)
    inside, outside = float(values[mask].mean()), float(values[~mask].mean())
    gap = inside - outside
    if abs(gap) < 1e-6 * max(1.0, abs(inside)):
        return np.zeros(values.shape, np.float32)
    found = ((values - outside) ** 2 - (values - inside) ** 2) / gap**2
    return np.asarray(np.clip(found, -1.0, 1.0), np.float32)


@kernel
def _moved(points: Array, edge: Array, region: Array, weights: Array, rounds: int) -> int:
    """Moves the points in place; how many moves were made."""
    n, total = len(points), 0
    bend = np.full(n, weights[1])
    for _ in range(rounds):
        gap = 0.0
        for i in range(n):
            gap += _length(points[i] - points[i - 1])
        moves = 0
        for i in range(n):
            moves += _step(points, i, edge, region, np.array([weights[0], bend[i], weights[2], weights[3], gap / n]))
        total += moves
        if moves == 0:
            break
        _corners(points, edge, bend, weights[1])
    return total


@kernel
def _step(points: Array, i: int, edge: Array, region: Array, weights: Array) -> int:
    """Moves one point to the best of the 3 x 3 pixels around it; 1 where it moved."""
    n = len(points)
    before, here, after = points[i - 1], points[i], points[(i + 1) % n]
    across = after - before
    # Outwards of a contour of positive area in (y, x).
    norm = max(_length(across), 1e-9)
    out_y, out_x = across[1] / norm, -across[0] / norm
    costs = np.zeros((4, 9))
    valid = np.zeros(9, np.bool_)
    for k in range(9):
        dy, dx = k // 3 - 1, k % 3 - 1
        y, x = here[0] + dy, here[1] + dx
        if y < 0 or x < 0 or y >= edge.shape[0] or x >= edge.shape[1]:
            continue
        valid[k] = True
        costs[0, k] = abs(weights[4] - np.hypot(y - before[0], x - before[1]))
        costs[1, k] = (before[0] - 2 * y + after[0]) ** 2 + (before[1] - 2 * x + after[1]) ** 2
        costs[2, k] = -edge[y, x]
        costs[3, k] = -region[y, x] * (dy * out_y + dx * out_x)
    _levelled(costs, valid)
    best, least = 4, 0.0
    for j in range(4):
        least += weights[j] * costs[j, 4]
    for k in range(9):
        if valid[k]:
            cost = 0.0
            for j in range(4):
                cost += weights[j] * costs[j, k]
            if cost < least - 1e-9:
                best, least = k, cost
    if best == 4:
        return 0
    here[0] += best // 3 - 1
    here[1] += best % 3 - 1
    return 1


@kernel
def _levelled(costs: Array, valid: Array) -> None:
    """Brings the terms of one neighbourhood to a common scale, as Williams & Shah: 0 to 1; the region's term stays."""
    for j in range(3):
        low, high = np.inf, -np.inf
        for k in range(9):
            if valid[k]:
                low, high = min(low, costs[j, k]), max(high, costs[j, k])
        least = FLAT if j == 2 else 1e-9
        scale = max(high - low, least) if j == 2 else max(high, least)
        start = low if j == 2 else 0.0
        for k in range(9):
            costs[j, k] = (costs[j, k] - start) / scale


@kernel
def _corners(points: Array, edge: Array, bend: Array, usual: float) -> None:
    """Lets the contour bend where it turns most and the edge is strong."""
    n = len(points)
    turning = np.empty(n)
    for i in range(n):
        a, b = points[i] - points[i - 1], points[(i + 1) % n] - points[i]
        la, lb = max(_length(a), 1e-9), max(_length(b), 1e-9)
        turning[i] = (a[0] / la - b[0] / lb) ** 2 + (a[1] / la - b[1] / lb) ** 2
    for i in range(n):
        sharp = turning[i] > turning[i - 1] and turning[i] > turning[(i + 1) % n] and turning[i] > TURNING
        bend[i] = 0.0 if sharp and edge[points[i, 0], points[i, 1]] > STRONG else usual


@kernel
def _length(vector: Array) -> float:
    return float(np.hypot(vector[0], vector[1]))
