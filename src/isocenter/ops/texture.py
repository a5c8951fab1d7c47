"""What an image is like without saying where: first-order and co-occurrence features, 2D and 3D.

Sources: Haralick, Shanmugam, Dinstein, Textural features for image classification, IEEE Trans. SMC 3 (1973) 610; names
as in the Image Biomarker Standardisation Initiative (Zwanenburg et al., Radiology 295 (2020) 328).
"""

from __future__ import annotations

import itertools

import numpy as np

from isocenter.ops.array import Array

LEVELS = 16
# Coarser copies of the image, so that texture of several sizes is seen with neighbours one pixel apart.
SCALES = (1, 2, 4)
# Larger images are averaged down to at most this many pixels per axis: texture finer than that is noise.
LARGEST = {1: 4096, 2: 256, 3: 64}
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)

FIRST_ORDER = ("mean", "sd", "skewness", "kurtosis", "entropy", *(f"quantile {q:g}" for q in QUANTILES))
HARALICK = ("contrast", "homogeneity", "correlation", "energy", "entropy")


def first_order(values: Array) -> Array:
    """How the values are distributed.

    Parameters
    ----------
    values
        Finite numbers, any shape.

    Returns
    -------
    float64 in the order of `FIRST_ORDER`. Kurtosis is in excess of the normal distribution's; the entropy is in bits,
    of 32 bins between the extremes. A constant image has SD, skewness, kurtosis and entropy 0.
    """
    flat = np.asarray(values, np.float64).ravel()
    mean, sd = flat.mean(), flat.std()
    quantiles = np.quantile(flat, QUANTILES)
    if sd <= 1e-12 * max(1.0, abs(mean)):
        return np.concatenate([[mean, 0.0, 0.0, 0.0, 0.0], quantiles])
    z = (flat - mean) / sd
    # Products: numpy's power of whole exponents above 2 is some fifty times slower.
    z2 = z * z
    share = np.histogram(flat, 32)[0] / flat.size
    return np.concatenate([[mean, sd, (z2 * z).mean(), (z2 * z2).mean() - 3.0, _entropy(share)], quantiles])


def directions(ndim: int) -> list[tuple[int, ...]]:
    """Offsets to the neighbours of a pixel, one of each opposite pair: 4 in 2D, 13 in 3D.

    >>> directions(2)
    [(0, 1), (1, -1), (1, 0), (1, 1)]
    """
    every = itertools.product((-1, 0, 1), repeat=ndim)
    return [d for d in every if d > (0,) * ndim]


def quantised(values: Array, levels: int = LEVELS) -> Array:
    """uint8: bins of equal width between the 1 and 99 percentiles, the ends included; 0 where all values are equal."""
    low, high = np.quantile(values, (0.01, 0.99))
    if not low < high:
        low, high = float(values.min()), float(values.max())
    if not low < high:
        return np.zeros(values.shape, np.uint8)
    scaled = (np.asarray(values, np.float64) - low) * (levels / (high - low))
    return np.asarray(np.clip(scaled, 0, levels - 1), np.uint8)


def cooccurrence(bins: Array, offset: tuple[int, ...], levels: int = LEVELS) -> Array:
    """How often two bins are neighbours.

    Parameters
    ----------
    bins
        uint8 (*grid) below `levels`.
    offset
        From a pixel to its neighbour, in pixels per axis.
    levels
        Number of bins.

    Returns
    -------
    float64 (levels, levels), symmetric, with sum 1; zeros where no pixel has such a neighbour.
    """
    here = bins[tuple(slice(max(0, -o), s - max(0, o)) for o, s in zip(offset, bins.shape, strict=True))]
    there = bins[tuple(slice(max(0, o), s - max(0, -o)) for o, s in zip(offset, bins.shape, strict=True))]
    pairs = here.astype(np.intp).ravel() * levels + there.ravel()
    found = np.bincount(pairs, minlength=levels * levels).reshape(levels, levels).astype(float)
    found += found.T
    return np.asarray(found / max(found.sum(), 1.0))


def haralick(matrix: Array) -> Array:
    """Five features of a co-occurrence matrix, in the order of `HARALICK`; the correlation of a constant is 1.

    Energy is the square root of the angular second moment; homogeneity is the inverse difference moment; entropy is in
    bits.
    """
    n = len(matrix)
    i, j = np.arange(n)[:, None], np.arange(n)[None]
    mean = float((i * matrix).sum())
    variance = float(((i - mean) ** 2 * matrix).sum())
    correlation = float(((i - mean) * (j - mean) * matrix).sum()) / variance if variance > 1e-12 else 1.0
    return np.asarray(
        [
            ((i - j) ** 2 * matrix).sum(),
            (matrix / (1 + (i - j) ** 2)).sum(),
            correlation,
            np.sqrt((matrix**2).sum()),
            _entropy(matrix.ravel()),
        ]
    )


def texture(values: Array) -> Array:
    """Co-occurrence features at three scales.

    Parameters
    ----------
    values
        Finite numbers (*grid), 2D or 3D.

    Returns
    -------
    float64 (30,): per scale 1, 2, 4 the mean over all directions of each of `HARALICK`, then their SD over directions.
    Where an axis is too short for a scale, the next finer one stands in.
    """
    array = np.asarray(values, np.float32)
    array = averaged(array, [-(-s // LARGEST[array.ndim]) for s in array.shape])
    found = []
    for step, scale in enumerate(SCALES):
        if step:
            array = averaged(array, [scale // SCALES[step - 1] if s >= 4 else 1 for s in array.shape])
        bins = quantised(array)
        each = np.stack([haralick(cooccurrence(bins, d)) for d in directions(array.ndim)])
        found += [each.mean(axis=0), each.std(axis=0)]
    return np.concatenate(found)


def averaged(array: Array, factors: list[int]) -> Array:
    """Means of whole blocks of `factors` pixels; what is left over at the end of an axis is dropped."""
    if max(factors) == 1:
        return array
    cut = array[tuple(slice(0, s // f * f) for s, f in zip(array.shape, factors, strict=True))]
    blocks = [n for s, f in zip(cut.shape, factors, strict=True) for n in (s // f, f)]
    return np.asarray(cut.reshape(blocks).mean(axis=tuple(range(1, 2 * array.ndim, 2))))


def _entropy(share: Array) -> float:
    p = share[share > 0]
    return float(-(p * np.log2(p)).sum()) if len(p) else 0.0
