"""Texture matrices of a region: co-occurrence, runs, zones, dependences and differences of grey levels, 2D and 3D.

Grey levels are whole numbers from 1 on; 0 is outside of the region and no neighbour.

Sources: Haralick, Shanmugam, Dinstein, IEEE Trans. SMC 3 (1973) 610 (GLCM); Galloway, Comput. Graph. Image Process. 4
(1975) 172 (GLRLM); Thibault et al., Pattern Recognit. Image Process. (2009) 140 (GLSZM); Amadasun, King, IEEE Trans.
SMC 19 (1989) 1264 (NGTDM); Sun, Wee, Comput. Vis. Graph. Image Process. 23 (1983) 341 (NGLDM); definitions as in the
Image Biomarker Standardisation Initiative, reference manual, sections 3.6 to 3.11.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from isocenter.ops.array import Array
from isocenter.ops.kernel import kernel


class Counts(NamedTuple):
    """The entries of a matrix of grey levels against sizes that are not 0.

    Parameters
    ----------
    levels
        int64 (m,): grey level, from 1 on.
    sizes
        int64 (m,): length of the run, pixels of the zone, or dependence; from 1 on.
    counts
        int64 (m,): how many there are.
    """

    levels: Array
    sizes: Array
    counts: Array


def glcm(levels: Array, direction: tuple[int, ...]) -> Array:
    """How often two levels are neighbours along one direction, both ways: float64 (g, g), symmetric.

    Parameters
    ----------
    levels
        Integers (*grid), 2D or 3D; 0 is outside.
    direction
        Offset to the neighbour, in pixels per axis.
    """
    grid, (dz, dy, dx) = _solid(levels), _step(direction)
    found: Array = _pairs(grid, dz, dy, dx, int(grid.max(initial=0)))
    return found + found.T


def glrlm(levels: Array, direction: tuple[int, ...]) -> Counts:
    """Runs of equal levels along one direction, by level and length."""
    grid, (dz, dy, dx) = _solid(levels), _step(direction)
    dense = _runs(grid, dz, dy, dx, int(grid.max(initial=0)), max(grid.shape))
    return _entries(dense)


def glszm(levels: Array) -> Counts:
    """Zones: connected pixels of one level (8 neighbours in 2D, 26 in 3D), by level and number of pixels."""
    zones = _zones(_solid(levels).copy())
    pairs, counts = np.unique(zones, axis=0, return_counts=True)
    return Counts(pairs[:, 0], pairs[:, 1], counts.astype(np.int64))


def ngldm(levels: Array, *, coarseness: int = 0) -> Counts:
    """Dependences: 1 + neighbours whose level differs by at most `coarseness`, by level and dependence."""
    grid = _solid(levels)
    return _entries(_dependences(grid, coarseness, int(grid.max(initial=0))))


def ngtdm(levels: Array) -> tuple[Array, Array]:
    """How many pixels of each level have a neighbour, and the summed difference from their neighbours' mean.

    Returns
    -------
    pixels, differences
        int64 (g,) and float64 (g,), of levels 1 to g.
    """
    grid = _solid(levels)
    return _differences(grid, int(grid.max(initial=0)))


def added(many: list[Counts]) -> Counts:
    """Several matrices as one: their entries added up."""
    pairs = np.concatenate([np.stack([c.levels, c.sizes], axis=1) for c in many])
    there, at = np.unique(pairs, axis=0, return_inverse=True)
    counts = np.bincount(at.ravel(), np.concatenate([c.counts for c in many]), len(there))
    return Counts(there[:, 0], there[:, 1], counts.astype(np.int64))


def _solid(levels: Array) -> Array:
    array = np.ascontiguousarray(levels, np.int32)
    return array.reshape((1,) * (3 - array.ndim) + array.shape)


def _step(direction: tuple[int, ...]) -> tuple[int, int, int]:
    z, y, x = (0,) * (3 - len(direction)) + tuple(direction)
    return z, y, x


def _entries(dense: Array) -> Counts:
    level, size = np.nonzero(dense)
    return Counts(level + 1, size + 1, dense[level, size])


@kernel
def _pairs(grid: Array, dz: int, dy: int, dx: int, top: int) -> Array:
    out = np.zeros((top, top), np.float64)
    depth, height, width = grid.shape
    for z in range(max(0, -dz), depth - max(0, dz)):
        for y in range(max(0, -dy), height - max(0, dy)):
            for x in range(max(0, -dx), width - max(0, dx)):
                here, there = grid[z, y, x], grid[z + dz, y + dy, x + dx]
                if here > 0 and there > 0:
                    out[here - 1, there - 1] += 1.0
    return out


@kernel
def _at(grid: Array, z: int, y: int, x: int) -> int:
    """The level at a place; 0 beyond the grid."""
    inside = 0 <= z < grid.shape[0] and 0 <= y < grid.shape[1] and 0 <= x < grid.shape[2]
    return int(grid[z, y, x]) if inside else 0


@kernel
def _runs(grid: Array, dz: int, dy: int, dx: int, top: int, longest: int) -> Array:
    out = np.zeros((top, longest), np.int64)
    for z in range(grid.shape[0]):
        for y in range(grid.shape[1]):
            for x in range(grid.shape[2]):
                level = int(grid[z, y, x])
                # A run is counted where it begins.
                if level == 0 or _at(grid, z - dz, y - dy, x - dx) == level:
                    continue
                length = 1
                while _at(grid, z + length * dz, y + length * dy, x + length * dx) == level:
                    length += 1
                out[level - 1, length - 1] += 1
    return out


@kernel
def _zones(grid: Array) -> Array:
    """Level and size (m, 2) of every zone; the grid is used up."""
    depth, height, width = grid.shape
    out = np.empty((grid.size, 2), np.int64)
    stack = np.empty((grid.size, 3), np.int64)
    n = 0
    for start in range(grid.size):
        z, y, x = start // (height * width), start // width % height, start % width
        level = grid[z, y, x]
        if level <= 0:
            continue
        grid[z, y, x] = 0
        stack[0, 0], stack[0, 1], stack[0, 2] = z, y, x
        waiting, size = 1, 0
        while waiting:
            waiting -= 1
            size += 1
            cz, cy, cx = stack[waiting, 0], stack[waiting, 1], stack[waiting, 2]
            for az in range(max(cz - 1, 0), min(cz + 2, depth)):
                for ay in range(max(cy - 1, 0), min(cy + 2, height)):
                    for ax in range(max(cx - 1, 0), min(cx + 2, width)):
                        if grid[az, ay, ax] == level:
                            grid[az, ay, ax] = 0
                            stack[waiting, 0], stack[waiting, 1], stack[waiting, 2] = az, ay, ax
                            waiting += 1
        out[n, 0], out[n, 1] = level, size
        n += 1
    return out[:n]


@kernel
def _dependences(grid: Array, coarseness: int, top: int) -> Array:
    depth, height, width = grid.shape
    out = np.zeros((top, 27), np.int64)
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                level = int(grid[z, y, x])
                if level == 0:
                    continue
                # The pixel itself is among those looked at, and counts.
                alike = 0
                for az in range(max(z - 1, 0), min(z + 2, depth)):
                    for ay in range(max(y - 1, 0), min(y + 2, height)):
                        for ax in range(max(x - 1, 0), min(x + 2, width)):
                            there = int(grid[az, ay, ax])
                            if there > 0 and abs(there - level) <= coarseness:
                                alike += 1
                out[level - 1, alike - 1] += 1
    return out


@kernel
def _differences(grid: Array, top: int) -> tuple[Array, Array]:
    depth, height, width = grid.shape
    pixels, sums = np.zeros(top, np.int64), np.zeros(top, np.float64)
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                level = int(grid[z, y, x])
                if level == 0:
                    continue
                total, count = -level, -1
                for az in range(max(z - 1, 0), min(z + 2, depth)):
                    for ay in range(max(y - 1, 0), min(y + 2, height)):
                        for ax in range(max(x - 1, 0), min(x + 2, width)):
                            if grid[az, ay, ax] > 0:
                                total += int(grid[az, ay, ax])
                                count += 1
                if count > 0:
                    pixels[level - 1] += 1
                    sums[level - 1] += abs(level - total / count)
    return pixels, sums
