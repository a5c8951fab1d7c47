"""The place of an image that stands out most at a given size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isocenter.ops.array import Array
from isocenter.ops.texture import averaged

# SDs of the two Gaussians whose difference answers most to a ball of radius 1.
INNER, OUTER = 0.6, 1.2
# Radius in pixels of the grid on which it is looked for.
FINE = 8.0
# SD, in halves of the image, of the Gaussian that favours the middle: what was imaged on purpose is rarely at the edge.
MIDDLE = 0.6


def outstanding(values: Array, radii: Sequence[float], *, bright: bool) -> tuple[int, ...]:
    """The centre of the ball that differs most from its surroundings.

    The greatest difference of two Gaussian means, weighted towards the image's middle; the first on a tie.

    Source: Lindeberg, Feature detection with automatic scale selection, Int. J. Comput. Vis. 30 (1998) 79; here at one
    scale.

    Parameters
    ----------
    values
        Finite numbers (*grid).
    radii
        Of the ball, in pixels per axis.
    bright
        Whether it is brighter than its surroundings.

    Returns
    -------
    Index of a pixel.

    >>> outstanding(np.pad([[5.0]], 3), (1, 1), bright=True)
    (3, 3)
    """
    from scipy import ndimage

    array = np.asarray(values, np.float32)
    factors = [max(1, min(int(r / FINE), s)) for r, s in zip(radii, array.shape, strict=True)]
    small = averaged(array if bright else -array, factors)
    sizes = [r / f for r, f in zip(radii, factors, strict=True)]
    inner = ndimage.gaussian_filter(small, [INNER * s for s in sizes], mode="nearest")
    height = inner - ndimage.gaussian_filter(small, [OUTER * s for s in sizes], mode="nearest")
    height = np.maximum(height, 0.0) * _towards_middle(height.shape) if height.max() > 0 else height
    found = np.unravel_index(int(np.argmax(height)), height.shape)
    return tuple(int(i) * f + f // 2 for i, f in zip(found, factors, strict=True))


def ball(shape: Sequence[int], centre: Sequence[float], radii: Sequence[float]) -> Array:
    """Boolean (*shape): pixels whose centres lie in the ellipsoid; the pixel nearest to its centre always.

    >>> ball((1, 5), (0, 2), (1, 1)).tolist()
    [[False, True, True, True, False]]
    """
    square = np.zeros(tuple(shape), np.float32)
    for axis, (n, c, r) in enumerate(zip(shape, centre, radii, strict=True)):
        line = ((np.arange(n) - c) / max(r, 1e-3)) ** 2
        square += line.reshape([-1 if a == axis else 1 for a in range(len(square.shape))]).astype(np.float32)
    mask = square <= 1.0
    mask[tuple(min(max(round(c), 0), n - 1) for c, n in zip(centre, shape, strict=True))] = True
    return np.asarray(mask)


def _towards_middle(shape: tuple[int, ...]) -> Array:
    weight = np.ones(shape, np.float32)
    for axis, n in enumerate(shape):
        away = (np.arange(n) - (n - 1) / 2) / max(n / 2, 0.5)
        line = np.exp(-0.5 * (away / MIDDLE) ** 2)
        weight *= line.reshape([-1 if a == axis else 1 for a in range(len(shape))]).astype(np.float32)
    return weight
