"""A field of cells that touch each other: small bright round ones and a few large dim ones, under shot noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isocenter.ops.array import Array
from isocenter.simulate.noise import smooth
from isocenter.simulate.shapes import ellipsoid

REGIONS = ("small", "large")
# Of the shorter side: radii of the two kinds; cells per square of the shorter side.
SMALL, LARGE = (0.05, 0.09), (0.11, 0.16)
COUNT = 28
# Photons at full brightness; share of a cell that may lie under earlier ones.
PHOTONS, COVERED = 60.0, 0.15


def cells(shape: Sequence[int], rng: np.random.Generator, *, lesions: int = 1) -> tuple[Array, Array]:
    """One field of view.

    Parameters
    ----------
    shape
        (y, x) or (z, y, x).
    rng
        Generator.
    lesions
        0: without a single cell.

    Returns
    -------
    pixels
        uint8 (*shape).
    labels
        uint8 (*shape): 0 background, 1 small cell, 2 large cell.
    """
    numbers, kinds = numbered(shape, rng, lesions=lesions)
    level = 0.06 + 0.02 * smooth(shape, rng, grain=max(2.0, min(shape) / 4))
    for i in range(1, len(kinds)):
        inside = numbers == i
        level[inside] = rng.uniform(0.55, 0.95) if kinds[i] == 1 else rng.uniform(0.28, 0.4)
    # A cell is brighter in its middle: the optics blur every edge a little.
    blurred = _blurred(np.clip(level, 0.0, 1.0))
    grey = 255 * rng.poisson(blurred * PHOTONS) / PHOTONS
    return np.clip(np.round(grey), 0, 255).astype(np.uint8), kinds[numbers]


def numbered(shape: Sequence[int], rng: np.random.Generator, *, lesions: int = 1) -> tuple[Array, Array]:
    """The same field's cells, one number each.

    Returns
    -------
    numbers
        int32 (*shape), 0 outside, cells from 1.
    kinds
        uint8 (n + 1,): class of each number, 0 for the background.
    """
    grid = np.stack(np.meshgrid(*[np.arange(s, dtype=float) for s in shape], indexing="ij"))
    side = float(min(shape[-2:]))
    numbers, kinds = np.zeros(tuple(shape), np.int32), [0]
    wanted = round(COUNT * np.prod(shape[-2:]) / side**2) if lesions else 0
    for k in range(wanted):
        large = k % 5 == 4
        radius = max(1.6, side * rng.uniform(*(LARGE if large else SMALL)))
        radii = radius * rng.uniform(0.85, 1.2, len(shape))
        if len(shape) == 3:
            radii[0] = min(radii[0], shape[0] / 3)
        centre = rng.uniform(0, 1, len(shape)) * np.asarray(shape)
        inside = ellipsoid(grid, centre, radii, turn=rng.uniform(0, np.pi))
        free = inside & (numbers == 0)
        if free.sum() >= 4 and free.sum() >= (1 - COVERED) * inside.sum():
            numbers[free] = len(kinds)
            kinds.append(2 if large else 1)
    return numbers, np.asarray(kinds, np.uint8)


def _blurred(level: Array) -> Array:
    from scipy import ndimage

    return np.asarray(ndimage.gaussian_filter(level, 0.7))
