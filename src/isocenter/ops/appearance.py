"""What a picture looks like, as some hundred numbers that do not depend on its size: layout, edges, texture, colour."""

from __future__ import annotations

import numpy as np

from isocenter.ops.array import Array
from isocenter.ops.resample import resize

# Grid on which everything is measured: so small that 512 x 512 pixels take some milliseconds.
GRID = 96
DIRECTIONS, GREYS, BANDS, COLOURS = 8, 12, 4, 6
# (thumbnail, cells) per side: of a flat picture, and of each of the three middle planes of a volume.
FLAT, PLANE = (8, 3), (5, 2)
SAMPLE = 1 << 16
FAINT = 1e-3


def appearance(array: Array) -> Array | None:
    """Numbers by which pictures of one kind are alike and others differ.

    A thumbnail of the standardised picture; directions of the grey-level gradient (all 360 degrees) by cell (Dalal and
    Triggs, CVPR 2005); energies of the bands of a Laplacian pyramid (Burt and Adelson, IEEE Trans. Commun. 1983); the
    histogram of grey levels; means and SDs by which three channels leave their mean. Grey levels are taken between the
    picture's own 0.5 and 99.5 percentiles, so that gain and offset do not count, and the grid is the same for all, so
    that the number of pixels counts little. Turning, mirroring and inverting change them.

    Parameters
    ----------
    array
        (c, y, x) or (c, z, y, x), finite real numbers. A volume is seen by its three middle planes.

    Returns
    -------
    float64 (158,) of a flat picture, (237,) of a volume; None for a picture of one single value.
    """
    if array.ndim == 3:
        return _plane(array, *FLAT)
    middle = [np.take(array, n // 2, axis=axis) for axis, n in enumerate(array.shape[1:], start=1)]
    parts = [_plane(plane, *PLANE) for plane in middle]
    found = [p for p in parts if p is not None]
    return np.concatenate(found) if len(found) == len(parts) else None


def spread(array: Array) -> tuple[float, float] | None:
    """The 0.5 and 99.5 percentiles of an array, from some 65 000 of its values; None where they are the same."""
    flat = array.ravel()
    low, high = (float(v) for v in np.percentile(flat[:: flat.size // SAMPLE | 1], (0.5, 99.5)))
    return (low, high) if high - low > 1e-6 * max(1.0, abs(low)) else None


def _plane(array: Array, thumb: int, cells: int) -> Array | None:
    if len(array) == 3 and np.array_equal(array[0], array[1]) and np.array_equal(array[0], array[2]):
        array = array[:1]
    small = resize(array, (GRID, GRID))
    grey = small.mean(axis=0)
    ends = spread(grey)
    if ends is None:
        return None
    width = ends[1] - ends[0]
    level = np.clip((grey - ends[0]) / width, 0, 1)
    colours = np.zeros(COLOURS)
    if len(small) == 3:
        apart = (small - grey) / width
        colours = np.concatenate([apart.mean(axis=(1, 2)), apart.std(axis=(1, 2))])
    histogram = np.sqrt(np.histogram(level, GREYS, (0, 1))[0] / level.size)
    parts = [_thumbnail(level, thumb), _directions(level, cells), _bands(level), histogram, colours]
    return np.concatenate(parts).astype(np.float64)


def _thumbnail(level: Array, side: int) -> Array:
    out = resize(level[None], (side, side))[0].astype(np.float64)
    return np.asarray(((out - out.mean()) / max(float(out.std()), 0.05)).ravel())


def _directions(level: Array, cells: int) -> Array:
    """Share of the gradient of each cell and direction, as its square root."""
    down, right = np.gradient(level)
    strength = np.hypot(down, right)
    turn = np.arctan2(down, right) / (2 * np.pi) * DIRECTIONS
    first = np.floor(turn).astype(np.int64)
    share = turn - first
    cell = np.arange(GRID) * cells // GRID
    base = (cell[:, None] * cells + cell[None]) * DIRECTIONS
    count = cells * cells * DIRECTIONS
    sums = np.bincount((base + first % DIRECTIONS).ravel(), (strength * (1 - share)).ravel(), count)
    sums += np.bincount((base + (first + 1) % DIRECTIONS).ravel(), (strength * share).ravel(), count)
    return np.asarray(np.sqrt(sums / max(float(sums.sum()), 1e-12)))


def _bands(level: Array) -> Array:
    """Decimal logarithm of the RMS of each band of the pyramid."""
    out = []
    for _ in range(BANDS):
        half = resize(level[None], tuple(n // 2 for n in level.shape))
        rest = level - resize(half, level.shape)[0]
        out.append(np.log10(np.sqrt((rest * rest).mean()) + FAINT))
        level = half[0]
    return np.asarray(out)
