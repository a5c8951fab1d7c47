"""Whether a probability of 0.8 comes true four times in five."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import ndtr

from isocenter.metrics.metric import ratio
from isocenter.ops.array import Array

MOST_BINS, LEAST_CASES = 15, 10


def equal_bins(p: Array, bins: int | None = None) -> Array:
    """(n,) bin of each case, 0 upwards: bins of equal numbers by increasing probability.

    Equal probabilities never part, so a bin may be larger than the others, and bins may be fewer.

    Parameters
    ----------
    p
        (n,) probabilities.
    bins
        How many; None: one per 10 cases, at most 15.
    """
    n = len(p)
    count = bins or max(1, min(MOST_BINS, n // LEAST_CASES))
    _, index, sizes = np.unique(p, return_inverse=True, return_counts=True)
    middle = np.cumsum(sizes) - sizes / 2
    wanted = np.minimum((middle * count / max(n, 1)).astype(int), count - 1)
    return np.unique(wanted, return_inverse=True)[1][index]


def calibration_error(p: Array, truth: Array, *, bins: int | None = None) -> tuple[Callable[[Array], Array], float]:
    """Expected calibration error without what chance alone adds, as a function of weights.

    The plain error is biased upwards: a perfectly calibrated model of few cases has one too. In each bin the observed
    share is taken as normal with its binomial variance; what such a share adds to the absolute difference on average is
    taken off. Not below 0.

    Source: Naeini et al., AAAI 2015; Kumar, Liang, Ma, NeurIPS 2019, section 5, in closed form.

    Parameters
    ----------
    p
        (n,) probabilities of the class.
    truth
        (n,) bool.
    bins
        As in `equal_bins`.

    Returns
    -------
    tuple
        Weights (r, n) to (r,), and how much higher resampled values lie: a resample takes the data's chance for truth.
    """
    index = equal_bins(p, bins)
    member = np.eye(int(index.max(initial=-1)) + 1)[index]
    columns = np.concatenate([member, member * p[:, None], member * np.asarray(truth, float)[:, None]], axis=1)

    def both(weights: Array) -> tuple[Array, Array]:
        count, claimed, seen = np.split(weights @ columns, 3, axis=1)
        total = count.sum(axis=1)
        claimed, seen = (np.nan_to_num(ratio(v, count)) for v in (claimed, seen))
        gap = np.abs(seen - claimed)
        # One case more of each kind keeps the variance of a bin of one kind from being 0.
        smoothed = (seen * count + 1) / (count + 2)
        sigma = np.sqrt(smoothed * (1 - smoothed) / np.maximum(count, 1))
        chance = _folded(gap, sigma) - gap
        return ratio((count * gap).sum(axis=1), total), ratio((count * chance).sum(axis=1), total)

    def at(weights: Array) -> Array:
        plain, chance = both(weights)
        return np.asarray(np.maximum(plain - chance, 0.0))

    plain, chance = both(np.ones((1, len(p)))) if len(p) else (np.zeros(1), np.zeros(1))
    return at, float(plain[0] - max(plain[0] - chance[0], 0.0))


def plain_error(p: Array, truth: Array, *, bins: int | None = None) -> float | None:
    """Expected calibration error as usually printed, chance included; None for no case."""
    if not len(p):
        return None
    index = equal_bins(p, bins)
    sums = np.bincount(index, weights=np.asarray(truth, float) - p)
    return float(np.abs(sums).sum() / len(p))


def _folded(mean: Array, sigma: Array) -> Array:
    """Mean of the absolute value of a normal number."""
    z = mean / sigma
    return np.asarray(sigma * np.sqrt(2 / np.pi) * np.exp(-z * z / 2) + mean * (1 - 2 * ndtr(-z)))
