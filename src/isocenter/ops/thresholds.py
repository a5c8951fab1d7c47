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
# Rounds of expectation and maximisation at most, and the change of the shares at which they end.
ROUNDS, SETTLED = 500, 1e-4


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


def triangle(values: Array, *, bins: int = BINS) -> float | None:
    """The threshold of a histogram with one peak: the bin farthest below the line from the peak to the farther end.

    Source: Zack, Rogers, Latt, Automatic measurement of sister chromatid exchange frequency, J. Histochem. Cytochem. 25
    (1977) 741.

    Parameters
    ----------
    values
        Finite numbers, any shape.
    bins
        Bins of the histogram, as in `counts`.

    Returns
    -------
    The threshold; a value of at least it lies above. None where all values are equal.
    """
    weight, edges = counts(values, bins=bins)
    used = np.flatnonzero(weight)
    if len(used) < 2:
        return None
    first, last, peak = int(used[0]), int(used[-1]), int(weight.argmax())
    rising = peak - first > last - peak
    foot = first if rising else last
    run = np.arange(min(foot, peak), max(foot, peak) + 1)
    line = np.interp(run, sorted((foot, peak)), [weight[b] for b in sorted((foot, peak))])
    farthest = int(run[np.argmax(line - weight[run])])
    return float(edges[farthest] if rising else edges[farthest + 1])


def mixture(values: Array, classes: int, *, bins: int = BINS) -> tuple[float, ...]:
    """The thresholds between the normal distributions whose sum fits the histogram best.

    Expectation and maximisation over the bins, from Otsu's classes on. A threshold lies where, between two neighbouring
    means, the upper distribution becomes the likelier.

    Source: Dempster, Laird, Rubin, Maximum likelihood from incomplete data via the EM algorithm, J. R. Stat. Soc. B 39
    (1977) 1.

    Parameters
    ----------
    values
        Finite numbers, any shape.
    classes
        Number of distributions, at least 2.
    bins
        Bins of the histogram, as in `counts`.

    Returns
    -------
    classes - 1 rising thresholds; a value of at least a threshold lies above it. Empty where there are fewer distinct
    bins than classes.
    """
    start = multi_otsu(values, classes, bins=bins)
    if not start:
        return ()
    weight, edges = counts(values, bins=bins)
    centre = (edges[1:] + edges[:-1]) / 2
    share = np.eye(classes)[np.digitize(centre, start)].T
    for _ in range(ROUNDS):
        kept = share
        likely = _likelihood(centre, weight, share, float(edges[1] - edges[0]))
        share = likely / np.maximum(likely.sum(axis=0), np.finfo(float).tiny)
        if np.abs(share - kept).max() < SETTLED:
            break
    means = (share * weight) @ centre / np.maximum(share @ weight, 1e-300)
    order = np.argsort(means, kind="stable")
    means, likely = means[order], likely[order]
    return tuple(_crossing(centre, edges, likely[k : k + 2], means[k : k + 2]) for k in range(classes - 1))


def _likelihood(centre: Array, weight: Array, share: Array, width: float) -> Array:
    """Height of each weighted normal distribution at the bins: (classes, bins)."""
    part = share * weight
    total = np.maximum(part.sum(axis=1, keepdims=True), 1e-300)
    mean = (part * centre).sum(axis=1, keepdims=True) / total
    # No distribution is narrower than a bin.
    spread = (part * (centre - mean) ** 2).sum(axis=1, keepdims=True) / total + width**2 / 12
    return np.asarray(total / np.sqrt(spread) * np.exp(-((centre - mean) ** 2) / (2 * spread)))


def _crossing(centre: Array, edges: Array, likely: Array, means: Array) -> float:
    """Lower edge of the first bin between two means where the upper distribution is the likelier; else their middle."""
    between = (centre > means[0]) & (centre <= means[1])
    found = np.flatnonzero(between & (likely[1] >= likely[0]))
    return float(edges[found[0]]) if len(found) else float(means.mean())


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
