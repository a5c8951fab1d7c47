"""Smoothing of grey values in 2D and 3D, each method with one set of settings that follows the noise of the image.

Distances are in pixels of the grid, as noise is. Beyond the edge there is nothing: an average takes the pixels that
exist. Values are finite numbers of any type; answers are float32.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np

from isocenter.ops.array import Array

# Bilateral: SD in space in pixels and in value in SD of the noise (Zhang & Gunturk 2008).
SPATIAL, RANGE = 1.5, 2.5
# Non-local means: half sides of the patch and of the search window by rank, and the filter's width in SD of the noise.
PATCH, SEARCH, WIDTH = {1: 2, 2: 2, 3: 1}, {1: 10, 2: 10, 3: 3}, 0.6
# Anisotropic diffusion: number of steps, and the share of the gradients that count as noise.
STEPS, NOISE_SHARE = 10, 0.9
# Median of the absolute value of a standard normal variable.
MAD = 0.6744897501960817


def noise_sd(values: Array) -> float:
    """SD of white Gaussian noise, from the finest diagonal details; 0 where there are too few pixels.

    Source: Donoho & Johnstone, Ideal spatial adaptation by wavelet shrinkage, Biometrika 81 (1994) 425 (Haar details).

    >>> noise_sd(np.ones((8, 8)))
    0.0
    """
    detail = np.asarray(values, np.float32)
    used = [axis for axis, n in enumerate(detail.shape) if n > 1]
    for axis in used:
        detail = np.diff(detail, axis=axis) / np.float32(2**0.5)
    return float(np.median(np.abs(detail)) / MAD) if used and detail.size > 3 else 0.0


def median(values: Array) -> Array:
    """The median of 3 pixels along every axis (Tukey, Exploratory Data Analysis, 1977)."""
    from scipy import ndimage

    return np.asarray(ndimage.median_filter(np.asarray(values, np.float32), size=3, mode="nearest"))


def gaussian(values: Array, *, sd: float = 1.0) -> Array:
    """A Gaussian of `sd` pixels."""
    from scipy import ndimage

    return np.asarray(ndimage.gaussian_filter(np.asarray(values, np.float32), sd, mode="nearest"))


def bilateral(values: Array, *, spatial: float = SPATIAL, tolerance: float | None = None) -> Array:
    """The mean of near pixels of like value.

    Source: Tomasi & Manduchi, Bilateral filtering for gray and color images, ICCV 1998; the SD in value as a multiple
    of the noise after Zhang & Gunturk, IEEE Trans. Image Process. 17 (2008) 2324.

    Parameters
    ----------
    values
        (*grid), finite.
    spatial
        SD in space, pixels; pixels within twice of it along every axis count.
    tolerance
        SD in value; None: 2.5 SD of the noise. 0 changes nothing.

    Returns
    -------
    float32 (*grid).
    """
    values = np.asarray(values, np.float32)
    tolerance = RANGE * noise_sd(values) if tolerance is None else tolerance
    if tolerance <= 0:
        return values.copy()

    def weight(difference: Array, shift: tuple[int, ...]) -> Array:
        near = sum(s * s for s in shift) / (2 * spatial**2)
        return np.asarray(np.exp(-np.square(difference) / (2 * tolerance**2) - near))

    return _averaged(values, round(2 * spatial), weight)


def non_local_means(values: Array, *, width: float | None = None) -> Array:
    """The mean of pixels whose surroundings look alike.

    Source: Buades, Coll, Morel, A non-local algorithm for image denoising, CVPR 2005; with the distance less what noise
    alone makes of it, as in the same authors' IPOL 1 (2011) 208.

    Parameters
    ----------
    values
        (*grid), finite.
    width
        SD of the noise; None: estimated by `noise_sd`. 0 changes nothing.

    Returns
    -------
    float32 (*grid).
    """
    from scipy import ndimage

    values = np.asarray(values, np.float32)
    sd = noise_sd(values) if width is None else width
    if sd <= 0:
        return values.copy()
    rank = min(3, max(1, values.ndim))
    side = 2 * PATCH[rank] + 1

    def weight(difference: Array, shift: tuple[int, ...]) -> Array:
        distance = ndimage.uniform_filter(np.square(difference), side, mode="nearest")
        return np.asarray(np.exp(-np.maximum(distance - 2 * sd**2, 0) / (WIDTH * sd) ** 2))

    return _averaged(values, SEARCH[rank], weight)


def _averaged(values: Array, reach: int, weight: Callable[[Array, tuple[int, ...]], Array]) -> Array:
    """Weighted means over a window; a weight is the same from either side, so that every pair is looked at once."""
    total, weights = values.copy(), np.ones_like(values)
    for shift in _half_window(reach, values.shape):
        here = tuple(slice(max(0, -s), n - max(0, s)) for s, n in zip(shift, values.shape, strict=True))
        there = tuple(slice(max(0, s), n - max(0, -s)) for s, n in zip(shift, values.shape, strict=True))
        w = weight(values[there] - values[here], shift)
        total[here] += w * values[there]
        weights[here] += w
        total[there] += w * values[here]
        weights[there] += w
    return np.asarray(total / weights)


def _half_window(reach: int, shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Every shift of a window but 0, one of each pair of opposites, no longer than the grid."""
    spans = [range(-min(reach, n - 1), min(reach, n - 1) + 1) for n in shape]
    return (shift for shift in itertools.product(*spans) if shift > (0,) * len(shape))


def anisotropic_diffusion(values: Array, *, steps: int = STEPS, contrast: float | None = None) -> Array:
    """Heat that does not cross edges: each step moves values along weak gradients and leaves strong ones.

    Source: Perona & Malik, Scale-space and edge detection using anisotropic diffusion, IEEE TPAMI 12 (1990) 629: the
    explicit scheme with nearest neighbours and the exponential conductance.

    Parameters
    ----------
    values
        (*grid), finite.
    steps
        Of 1 / (2 axes) each, the largest that is stable.
    contrast
        Difference between neighbours from which on an edge is kept; None: the 90th percentile of the differences, anew
        before every step, as in the paper. 0 changes nothing.

    Returns
    -------
    float32 (*grid), within the range of the values.
    """
    out = np.array(values, np.float32)
    axes = [axis for axis, n in enumerate(out.shape) if n > 1]
    for _ in range(steps if axes else 0):
        slopes = {axis: np.diff(out, axis=axis) for axis in axes}
        limit = _usual(slopes) if contrast is None else contrast
        if limit <= 0:
            break
        for axis, slope in slopes.items():
            flow = slope * np.exp(-np.square(slope / np.float32(limit))) / np.float32(2 * len(axes))
            np.moveaxis(out, axis, 0)[:-1] += np.moveaxis(flow, axis, 0)
            np.moveaxis(out, axis, 0)[1:] -= np.moveaxis(flow, axis, 0)
    return out


def _usual(slopes: dict[int, Array]) -> float:
    """The 90th percentile of absolute differences, of about a million of them, evenly spaced."""
    sizes = [np.abs(s).ravel()[:: max(1, s.size >> 18)] for s in slopes.values()]
    return float(np.quantile(np.concatenate(sizes), NOISE_SHARE))


METHODS: dict[str, Callable[[Array], Array]] = {
    "none": lambda values: np.asarray(values, np.float32),
    "median": median,
    "gaussian": gaussian,
    "bilateral": bilateral,
    "nlm": non_local_means,
    "anisotropic": anisotropic_diffusion,
}
