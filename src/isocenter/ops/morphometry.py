"""Size and shape of objects given as masks in crops of one grid, 2D and 3D, with any spacing and any oblique affine.

The outline of an object runs through the middles of the outer faces of its pixels, as scikit-image lays it: a pixel is
one pixel wide, and a convex set of pixels fills its hull.

Source: Hu, Visual pattern recognition by moment invariants, IRE Trans. 1962 (moments); Andrew, Another efficient
algorithm for convex hulls in two dimensions, Inf. Process. Lett. 9 (1979) 216; Feret, Assoc. Int. pour l'Essai des Mat.
1931 (the largest caliper width).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isocenter.errors import InputError, LabelError
from isocenter.ops.array import Array
from isocenter.ops.kernel import kernel

# Numbers above this are made compact before the boxes of objects are found: the search keeps a slot a number.
COMPACT = 1 << 20
# A pixel counts as within a hull in 3D if it lies outside by no more than this share of a pixel.
ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Shapes:
    """Sizes and shapes of n objects.

    Parameters
    ----------
    pixels
        int64 (n,): pixels.
    centroids
        float64 (n, axes): mean index, array order.
    axes
        float64 (n, axes): whole axes of the ellipse (ellipsoid) of equal second moments, longest first, in the unit of
        the matrix; 0 for a single pixel, whose own extent takes no part, as in scikit-image and ITK.
    directions
        float64 (n, world axes): unit vector of the longest axis; its last component that is not 0 is positive.
    feret
        float64 (n,): largest distance of two points of the outline, in the unit of the matrix.
    solidity
        float64 (n,) in (0, 1]: pixels by the pixels whose centre lies within the convex hull.
    border
        bool (n,): touches the border of the grid, on an axis that is longer than one pixel.
    """

    pixels: Array
    centroids: Array
    axes: Array
    directions: Array
    feret: Array
    solidity: Array
    border: Array


def crops(numbers: Array) -> tuple[Array, Array, tuple[Array, ...]]:
    """The objects of a map with one number an object, by rising number.

    Parameters
    ----------
    numbers
        Integers (*grid); 0 is background.

    Returns
    -------
    ids, starts, masks
        int64 (n,) the numbers; int64 (n, axes) first pixel of each crop; bool crops.

    Raises
    ------
    LabelError
        Numbers below 0, or that are no integers.
    """
    from scipy import ndimage

    if numbers.dtype.kind not in "uib":
        raise LabelError("labels that are not whole numbers", got=str(numbers.dtype), wanted="integers")
    if numbers.size and int(numbers.min()) < 0:
        raise LabelError("numbers below 0 name no object", got=str(int(numbers.min())))
    there = None
    if int(numbers.max(initial=0)) > COMPACT:
        there, flat = np.unique(np.concatenate([[0], numbers.ravel()]), return_inverse=True)
        numbers = flat[1:].reshape(numbers.shape)
    numbers = numbers.astype(np.int32, copy=False)
    found = [(i, box) for i, box in enumerate(ndimage.find_objects(numbers), 1) if box is not None]
    ids = np.asarray([i for i, _ in found], np.int64)
    starts = np.asarray([[s.start for s in box] for _, box in found], np.int64).reshape(-1, numbers.ndim)
    masks = tuple(np.asarray(numbers[box] == i) for i, box in found)
    return (ids if there is None else there[ids].astype(np.int64)), starts, masks


def shapes(starts: Array, masks: Sequence[Array], *, shape: Sequence[int], matrix: Array | None = None) -> Shapes:
    """Size and shape of every object.

    Parameters
    ----------
    starts
        int64 (n, axes): first pixel of each crop.
    masks
        bool crops; each holds a pixel.
    shape
        Of the grid.
    matrix
        float64 (world axes, axes): index steps to mm, as the affine without its shift; None: pixels.

    Raises
    ------
    InputError
        Not a grid of two or three axes, or a crop without a pixel.
    """
    rank = len(shape)
    if rank not in (2, 3):
        raise InputError("objects have a shape in 2D or 3D", got=str(tuple(shape)))
    steps = np.eye(rank) if matrix is None else np.asarray(matrix, np.float64)
    n = len(masks)
    pixels, feret, solidity = np.zeros(n, np.int64), np.zeros(n), np.zeros(n)
    centroids, spread = np.zeros((n, rank)), np.zeros((n, rank, rank))
    border = np.zeros(n, bool)
    ends = np.asarray(shape)
    for i, (start, mask) in enumerate(zip(starts, masks, strict=True)):
        mask = np.ascontiguousarray(mask)
        count, mean, spread[i] = _moments(mask)
        if not count:
            raise InputError("an object has no pixel", got=f"object {i + 1}")
        pixels[i], centroids[i] = count, mean + start
        corners, filled = _hull(mask)
        feret[i] = _widest(corners, steps.T @ steps) / 2
        solidity[i] = count / filled
        border[i] = _touches(mask, start, ends)
    lengths, directions = _ellipsoids(spread, steps)
    return Shapes(pixels, centroids, lengths, directions, feret, solidity, border)


def angles(directions: Array, matrix: Array | None = None) -> Array:
    """Directions in a plane as degrees, 0 up to 180: from the x axis, counter-clockwise as the picture is seen.

    Parameters
    ----------
    directions
        float64 (n, world axes), as in `Shapes`.
    matrix
        (world axes, 2) as in `shapes`; columns y, x.

    >>> angles(np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 1.0]]))
    array([90.,  0., 45.])
    """
    steps = np.eye(2) if matrix is None else np.asarray(matrix, np.float64)
    right = steps[:, 1] / np.linalg.norm(steps[:, 1])
    down = steps[:, 0] - (steps[:, 0] @ right) * right
    turned = np.degrees(np.arctan2(-(directions @ (down / np.linalg.norm(down))), directions @ right)) % 180.0
    # A tiny negative angle becomes 180 by rounding.
    return np.asarray(np.where(turned >= 180.0, 0.0, turned))


def equivalent_diameter(sizes: Array, ndim: int) -> Array:
    """Diameter of the disc (sphere) of that area (volume)."""
    return np.asarray(np.sqrt(4 * sizes / np.pi) if ndim == 2 else np.cbrt(6 * sizes / np.pi))


def grey_values(values: Array) -> tuple[float, float, float, float]:
    """Mean, standard deviation (of the pixels themselves, not of a population), least and greatest; NaN takes no part.

    All are NaN where no value is finite.
    """
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    if not len(known):
        return (np.nan,) * 4
    return float(known.mean()), float(known.std()), float(known.min()), float(known.max())


def _touches(mask: Array, start: Array, ends: Array) -> bool:
    for axis, (first, size, end) in enumerate(zip(start, mask.shape, ends, strict=True)):
        if end == 1:
            continue
        # The crop need not be tight.
        if first == 0 and mask.take(0, axis).any():
            return True
        if first + size == end and mask.take(size - 1, axis).any():
            return True
    return False


def _moments(mask: Array) -> tuple[int, Array, Array]:
    """Pixels, mean index and covariance of the indices of a crop."""
    rank = mask.ndim
    sums = _sums(mask.reshape((1,) * (3 - rank) + mask.shape).view(np.uint8))
    count = int(sums[0])
    mean = sums[1:4] / max(count, 1)
    squares = np.array([[sums[4], sums[5], sums[6]], [sums[5], sums[7], sums[8]], [sums[6], sums[8], sums[9]]])
    covariance = squares / max(count, 1) - np.outer(mean, mean)
    return count, mean[3 - rank :], covariance[3 - rank :, 3 - rank :]


@kernel
def _sums(mask: Array) -> Array:
    """Count, z, y, x, zz, zy, zx, yy, yx, xx summed over a uint8 (z, y, x) mask."""
    out = np.zeros(10, np.float64)
    for z in range(mask.shape[0]):
        for y in range(mask.shape[1]):
            n, sx, sxx = 0, 0, 0
            for x in range(mask.shape[2]):
                if mask[z, y, x]:
                    n += 1
                    sx += x
                    sxx += x * x
            out[0] += n
            out[1] += z * n
            out[2] += y * n
            out[3] += sx
            out[4] += z * z * n
            out[5] += z * y * n
            out[6] += z * sx
            out[7] += y * y * n
            out[8] += y * sx
            out[9] += sxx
    return out


def _ellipsoids(spread: Array, steps: Array) -> tuple[Array, Array]:
    """Whole axes (n, axes), longest first, and the direction of the longest (n, world axes)."""
    rank = steps.shape[1]
    values, vectors = np.linalg.eigh(steps @ spread @ steps.T)
    # In a disc the variance along an axis is its half squared by 4, in a ball by 5.
    lengths = 2 * np.sqrt((rank + 2) * np.maximum(values[:, ::-1][:, :rank], 0.0))
    longest = vectors[:, :, -1]
    signs = np.ones(len(longest))
    for column in range(longest.shape[1]):
        signs = np.where(np.abs(longest[:, column]) > 1e-9, np.sign(longest[:, column]), signs)
    return lengths, longest * signs[:, None]


def _hull(mask: Array) -> tuple[Array, int]:
    """Corners (k, axes) of the convex hull in half pixels (centre i at 2 i + 1), and the pixels within it."""
    if mask.ndim == 2:
        corners, filled = _hull_flat(mask.view(np.uint8))
        return corners, int(filled)
    from scipy.spatial import ConvexHull

    points = _faces(mask)
    hull = ConvexHull(points)
    return points[hull.vertices].astype(np.int64), int(_within(hull.equations, *mask.shape))


def _faces(mask: Array) -> Array:
    """Middles of the outermost faces along every line of a 3D mask, in half pixels."""
    points = []
    for axis, size in enumerate(mask.shape):
        lines = np.moveaxis(mask, axis, -1)
        held = lines.any(-1)
        at = 2 * np.argwhere(held) + 1
        first, back = lines.argmax(-1)[held], lines[..., ::-1].argmax(-1)[held]
        points += [np.insert(at, axis, end, axis=1) for end in (2 * first, 2 * (size - back))]
    return np.concatenate(points)


@kernel
def _within(equations: Array, depth: int, height: int, width: int) -> int:
    """Pixel centres of a box that satisfy every inequality ``normal . point + offset <= 0``, in half pixels."""
    total = 0
    for z in range(depth):
        for y in range(height):
            low, high = 0.0, width - 1.0
            for e in range(equations.shape[0]):
                rest = equations[e, 0] * (2 * z + 1) + equations[e, 1] * (2 * y + 1) + equations[e, 2] + equations[e, 3]
                slope = 2 * equations[e, 2]
                if slope > ROUNDING:
                    high = min(high, (ROUNDING - rest) / slope)
                elif slope < -ROUNDING:
                    low = max(low, (ROUNDING - rest) / slope)
                elif rest > ROUNDING:
                    high = -1.0
            if high >= low:
                total += max(int(np.floor(high) - np.ceil(low)) + 1, 0)
    return total


@kernel
def _envelope(rows: Array, values: Array) -> Array:
    """Positions of the corners of the lower convex envelope of values over rising rows; whole numbers, so exact."""
    kept = np.empty(len(rows), np.int64)
    n = 0
    for i in range(len(rows)):
        while n >= 2:
            a, b = kept[n - 2], kept[n - 1]
            if (values[b] - values[a]) * (rows[i] - rows[b]) < (values[i] - values[b]) * (rows[b] - rows[a]):
                break
            n -= 1
        kept[n] = i
        n += 1
    return kept[:n]


@kernel
def _least(rows: Array, values: Array, kept: Array, height: int) -> Array:
    """Per pixel row the first pixel whose centre is not below the envelope; a large number where there is none."""
    out = np.full(height, 1 << 40, np.int64)
    for k in range(len(kept) - 1):
        a, b = kept[k], kept[k + 1]
        span = rows[b] - rows[a]
        for y in range(rows[a] // 2, (rows[b] + 1) // 2):
            row = 2 * y + 1
            if row < rows[a] or row > rows[b]:
                continue
            # The centre 2 x + 1 lies at or above the line from a to b; division of whole numbers rounds down.
            over = (values[a] - 1) * span + (values[b] - values[a]) * (row - rows[a])
            out[y] = -((-over) // (2 * span))
    return out


@kernel
def _hull_flat(mask: Array) -> tuple[Array, int]:
    """As `_hull` of a uint8 (y, x) mask."""
    height, width = mask.shape
    low, high = np.full(2 * height + 1, 2 * width + 2, np.int64), np.full(2 * height + 1, -1, np.int64)
    for y in range(height):
        first, last = -1, -1
        for x in range(width):
            if mask[y, x]:
                if first < 0:
                    first = x
                last = x
        if first >= 0:
            low[2 * y + 1], high[2 * y + 1] = 2 * first, 2 * last + 2
            for row in (2 * y, 2 * y + 2):
                low[row], high[row] = min(low[row], 2 * first + 1), max(high[row], 2 * last + 1)
    rows = np.flatnonzero(high >= 0)
    left, right = low[rows], -high[rows]
    near, far = _envelope(rows, left), _envelope(rows, right)
    corners = np.empty((len(near) + len(far), 2), np.int64)
    for i, k in enumerate(near):
        corners[i, 0], corners[i, 1] = rows[k], left[k]
    for i, k in enumerate(far):
        corners[len(near) + i, 0], corners[len(near) + i, 1] = rows[k], -right[k]
    # Mirrored, the last pixel x within the right side is the first one of the left: its centre is -(2 x + 1) there.
    begin, end = _least(rows, left, near, height), _least(rows, right, far, height)
    filled = 0
    for y in range(height):
        if begin[y] < 1 << 40:
            filled += max(-end[y] - 1 - begin[y] + 1, 0)
    return corners, filled


@kernel
def _widest(points: Array, gram: Array) -> float:
    """Largest distance of two of the points (k, axes) under a metric."""
    best = 0.0
    for i in range(len(points)):
        for j in range(i + 1, len(points)):
            square = 0.0
            for a in range(points.shape[1]):
                for b in range(points.shape[1]):
                    square += (points[i, a] - points[j, a]) * gram[a, b] * (points[i, b] - points[j, b])
            best = max(best, square)
    return float(np.sqrt(best))
