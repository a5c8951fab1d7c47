"""Smoothing of speckle, the multiplicative noise of coherent waves: ultrasound, radar, optical coherence tomography."""

from __future__ import annotations

import numpy as np

from isocenter.ops.array import Array

# Time of one step; the rate at which speckle becomes finer while it is smoothed, as in the paper; and the share of the
# range that is added to all values, so that black has a ratio to its neighbours.
TIME, RATE, FLOOR = 0.2, 1 / 6, 1 / 32
# Places that vary no more than half of all do are taken for even: what varies there is speckle.
EVEN = 0.5


def speckle_diffusion(values: Array, *, steps: int = 40) -> Array:
    """Heat that flows where values vary as speckle alone makes them vary, and stops at edges.

    Source: Yu & Acton, Speckle reducing anisotropic diffusion, IEEE Trans. Image Process. 11 (2002) 1260; the
    variation of speckle at the start is the median one of the image, not that of a box that a person draws.

    Parameters
    ----------
    values
        (y, x), finite.
    steps
        Of 0.2 each.

    Returns
    -------
    float32 (y, x), within the range of the values.

    >>> bool((speckle_diffusion(np.ones((5, 4))) == 1).all())
    True
    """
    low, span = float(np.min(values)), float(np.ptp(values))
    if not span > 0 or min(values.shape) < 2:
        return np.array(values, np.float32)
    image = (np.asarray(values, np.float32) - np.float32(low)) / np.float32(span) + np.float32(FLOOR)
    start = 0.0
    for step in range(steps):
        sides = _differences(image)
        variation = _variation(image, sides)
        start = start or float(np.quantile(variation, EVEN)) or float(variation.mean())
        usual = np.float32(start * np.exp(-2 * RATE * TIME * step))
        flow = 1 / (1 + (variation - usual) / (usual * (1 + usual)))
        np.clip(flow, 0, 1, out=flow)
        ahead = np.pad(flow, ((0, 1), (0, 1)), mode="edge")
        above, below, left, right = sides
        change = flow * (above + left) + ahead[1:, :-1] * below + ahead[:-1, 1:] * right
        image += np.float32(TIME / 4) * change
    return np.asarray((image - np.float32(FLOOR)) * np.float32(span) + np.float32(low))


def _differences(image: Array) -> tuple[Array, Array, Array, Array]:
    """To the neighbours above, below, left and right; 0 across the edge of the image."""
    wide = np.pad(image, 1, mode="edge")
    return (
        wide[:-2, 1:-1] - image,
        wide[2:, 1:-1] - image,
        wide[1:-1, :-2] - image,
        wide[1:-1, 2:] - image,
    )


def _variation(image: Array, sides: tuple[Array, ...]) -> Array:
    """The square of the instantaneous coefficient of variation."""
    slope = sum(np.square(side) for side in sides) / np.square(image)
    curve = sum(sides) / image
    return np.asarray(np.maximum(slope / 2 - np.square(curve) / 16, 0) / np.square(1 + curve / 4))
