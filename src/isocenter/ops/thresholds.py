"""Thresholds that the histogram of an image chooses by itself."""

from __future__ import annotations

import numpy as np

from isocenter.ops.array import Array

BINS = 256
# Share of the pixels at either end of the scale that may fall into the outermost bins, so that one hot pixel or a metal
# clip does not push all tissue into one bin.
TAIL = 0.001
# The ends of the scale are taken from about this many pixels, evenly spaced.
SAMPLE = 1 << 20


def counts(values: Array, *, bins: int = BINS) -> tuple[Array, Array]:
    """Histogram over the bulk of the values; what lies beyond falls into the end bins.

    Parameters
    ----------
    values
        Finite numbers, any shape.
    bins
        Number of bins of equal width between the 0.1 and 99.9 percentiles (between the extremes where those are equal).

    Returns
    -------
    counts
        int64 (bins,); of no value or of one single value: (0,).
    edges
        float64 (bins + 1,).
    """
    flat = np.asarray(values).ravel()
    flat = flat.astype(np.uint8) if flat.dtype == bool else flat
    if flat.size == 0:
        return np.zeros(0, np.int64), np.zeros(1)
    low, high = np.quantile(flat[:: max(1, flat.size // SAMPLE)], (TAIL, 1 - TAIL))
    if not low < high:
        low, high = flat.min(), flat.max()
    if not low < high:
        return np.zeros(0, np.int64), np.full(1, float(low))
    found, edges = np.histogram(np.clip(flat, low, high), bins, (float(low), float(high)))
    return found, edges


def otsu(values: Array, *, bins: int = BINS) -> float | None:
    """The threshold that separates two classes best; see `multi_otsu`. None where all values are equal.

    Source: Otsu, A threshold selection method from gray-level histograms, IEEE Trans. SMC 9 (1979) 62.

    >>> otsu(np.array([0.0, 1.0, 9.0, 10.0])) == 5.0
    True
    """
    found = multi_otsu(values, 2, bins=bins)
    return found[0] if found else None


def multi_otsu(values: Array, classes: int, *, bins: int = BINS) -> tuple[float, ...]:
    """The thresholds that make the variance between classes greatest.

    The best division of the histogram is found exactly, by dynamic programming over its bins. A threshold lies in the
    middle of the empty bins between two classes, where there are any.

    Source: Liao, Chen, Chung, A fast algorithm for multilevel thresholding, J. Inf. Sci. Eng. 17 (2001) 713.

    Parameters
    ----------
    values
        Finite numbers, any shape.
    classes
        Number of classes, at least 2.
    bins
        Bins of the histogram, as in `counts`.

    Returns
    -------
    classes - 1 rising thresholds; a value of at least a threshold lies above it. Empty where there are fewer distinct
    bins than classes.
    """
    weight, edges = counts(values, bins=bins)
    used = np.flatnonzero(weight)
    if len(used) < classes:
        return ()
    centre = (edges[used] + edges[used + 1]) / 2
    cuts = _division(weight[used].astype(float), centre - centre.mean(), classes)
    return tuple(
        float(edges[used[c]] + edges[used[c + 1] + 1]) / 2 if used[c + 1] - used[c] > 1 else float(edges[used[c] + 1])
        for c in cuts
    )


def _division(weight: Array, value: Array, classes: int) -> list[int]:
    """Last bin of every class but the topmost, for the greatest sum of (class sum)^2 / class weight."""
    n = len(weight)
    total = np.concatenate([[0.0], np.cumsum(weight)])
    moment = np.concatenate([[0.0], np.cumsum(weight * value)])
    # gain[i, j]: what a class of bins i..j adds; impossible where j < i.
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = (moment[None, 1:] - moment[:-1, None]) ** 2 / (total[None, 1:] - total[:-1, None])
    gain[np.tril_indices(n, -1)] = -np.inf
    best = gain[0]
    back = []
    for _ in range(classes - 1):
        sums = best[:-1, None] + gain[1:]
        back.append(np.argmax(sums, axis=0))
        best = sums[back[-1], np.arange(n)]
    cuts = [n - 1]
    for step in reversed(back):
        cuts.append(int(step[cuts[-1]]))
    return cuts[:0:-1]
