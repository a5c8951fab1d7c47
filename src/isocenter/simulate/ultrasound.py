"""A B-mode picture that never was: layered tissue under speckle, with a dark lesion and its shadow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isocenter.ops.array import Array
from isocenter.simulate.noise import smooth, speckle
from isocenter.simulate.shapes import coordinates, ellipsoid

# Decibels that the grey scale shows.
RANGE = 50.0


def ultrasound(shape: Sequence[int], rng: np.random.Generator, *, lesions: int = 1) -> tuple[Array, Array]:
    """One subject.

    Parameters
    ----------
    shape
        (y, x); y is depth.
    rng
        Generator.
    lesions
        Number of lesions.

    Returns
    -------
    pixels
        uint8 (y, x), log-compressed amplitude.
    labels
        uint8 (y, x): 0 background, 1 lesion.
    """
    points = coordinates(shape, rng, bend=0.03)
    depth = points[0]
    # Layers: skin, fat, gland, muscle, each with its own echo in dB.
    level = np.full(tuple(shape), -14.0)
    edges = np.sort(rng.uniform([-0.95, -0.75, 0.35], [-0.85, -0.4, 0.7]))
    for edge, echo in zip(edges, (-22.0, -12.0, -20.0), strict=True):
        level[depth > edge] = echo + rng.normal(0, 2)
    level += 3.0 * smooth(shape, rng, grain=3.0)
    labels = np.zeros(tuple(shape), np.uint8)
    for _ in range(lesions):
        centre = (rng.uniform(-0.25, 0.25), rng.uniform(-0.5, 0.5))
        inside = ellipsoid(points, centre, rng.uniform(0.14, 0.32, 2), turn=rng.uniform(-0.4, 0.4))
        labels[inside] = 1
        level[inside] = -30.0 + rng.normal(0, 2)
        # What lies behind a lesion is darker, which is why darkness alone does not find it.
        level[(np.maximum.accumulate(inside, axis=0)) & ~inside] -= rng.uniform(3, 8)
    level -= 4.0 * (depth + 1)
    amplitude = speckle(10 ** (level / 20), rng, looks=2, grain=0.6)
    grey = 255 * (1 + 20 * np.log10(np.maximum(amplitude, 1e-6)) / RANGE)
    return np.clip(np.round(grey), 0, 255).astype(np.uint8), labels
