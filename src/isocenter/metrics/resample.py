"""Intervals: resampling by group, and formulas where they are better."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from isocenter.data import CaseScore
from isocenter.ops.array import Array

# Numbers held at once per block of resamples.
BLOCK = 2_000_000


def groups_of(cases: Sequence[CaseScore]) -> Array:
    """(n,) number of each case's group, from 0 in order of appearance; a case without a group is its own."""
    known: dict[str, int] = {}
    return np.array([known.setdefault(c.group or f"\0{c.case}", len(known)) for c in cases], int)


def weights(groups: Array, resamples: int, seed: int) -> Iterator[Array]:
    """Bootstrap weights (r, n) in blocks: how often each case's group was drawn, whole groups at a time.

    The same groups, resamples and seed give the same weights, so that two methods are compared on the same draws.
    """
    count = int(groups.max(initial=-1)) + 1
    rng = np.random.default_rng(seed)
    block = max(1, BLOCK // max(count, len(groups), 1))
    for start in range(0, resamples if count else 0, block):
        r = min(block, resamples - start)
        picks = rng.integers(0, count, (r, count)) + count * np.arange(r)[:, None]
        yield np.bincount(picks.ravel(), minlength=r * count).reshape(r, count)[:, groups].astype(float)


def percentile_interval(draws: Array, level: float, n: int) -> tuple[float, float]:
    """Percentiles of resampled values, expanded for few groups.

    The plain percentile interval is too narrow by about sqrt((n - 1) / n) and uses the normal where the t distribution
    belongs; taking the percentiles further out by both repairs that.

    Source: Hesterberg, What teachers should know about the bootstrap, The American Statistician 2015, section 3.

    Parameters
    ----------
    draws
        (r,) values, NaN where a resample left the number undefined.
    level
        Such as 0.95.
    n
        Number of groups, at least 2.
    """
    tail = float(ndtr(np.sqrt(n / (n - 1)) * stdtrit(n - 1, (1 - level) / 2)))
    low, high = np.nanquantile(draws, [tail, 1 - tail])
    return float(low), float(high)


def two_sided_p(differences: Array, n: int) -> float:
    """p of a paired bootstrap: one minus the level at which `percentile_interval` would just touch 0.

    Never smaller than the number of resamples can show: with 2000 and 10 groups 0.012.

    Parameters
    ----------
    differences
        (r,) resampled differences; NaN are dropped.
    n
        Number of groups, at least 2.
    """
    d = differences[~np.isnan(differences)]
    tail = min(np.sum(d <= 0), np.sum(d >= 0))
    share = min((tail + 1) / (len(d) + 1), 0.5)
    return float(2 * stdtr(n - 1, ndtri(share) * np.sqrt((n - 1) / n)))


def wilson(hits: float, n: float, level: float) -> tuple[float, float]:
    """Wilson's score interval of a share.

    Source: Wilson, JASA 1927; Brown, Cai, DasGupta, Statistical Science 2001.

    >>> low, high = wilson(8, 10, 0.95)
    >>> round(low, 4), round(high, 4)
    (0.4902, 0.9433)
    """
    z2 = float(ndtri((1 - level) / 2)) ** 2
    share = hits / n
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * share * (1 - share) / n + z2 * z2 / (4 * n * n)) / (1 + z2 / n)
    # At 0 and n of n the formula ends at the bound but for rounding.
    return (0.0 if hits == 0 else max(0.0, middle - half)), (1.0 if hits == n else min(1.0, middle + half))


def mean_of_shares(shares: Sequence[tuple[float, float]], level: float) -> tuple[float, float]:
    """Interval of the mean of independent shares, from their Wilson intervals (MOVER).

    Source: Newcombe, Statistics in Medicine 1998; Zou and Donner, Statistics in Medicine 2008.

    Parameters
    ----------
    shares
        (hits, n) of each.
    level
        Such as 0.95.
    """
    at = np.array([h / n for h, n in shares])
    bounds = np.array([wilson(h, n, level) for h, n in shares])
    k = len(at)
    low = at.mean() - np.sqrt(np.sum((at - bounds[:, 0]) ** 2)) / k
    high = at.mean() + np.sqrt(np.sum((bounds[:, 1] - at) ** 2)) / k
    return float(max(0.0, low)), float(min(1.0, high))


def collected(blocks: Iterator[Array], functions: Sequence[Callable[[Array], Array]]) -> list[Array]:
    """The values of each function over all blocks of weights, in one pass."""
    parts: list[list[Array]] = [[] for _ in functions]
    for block in blocks:
        for held, function in zip(parts, functions, strict=True):
            held.append(function(block))
    return [np.concatenate(held) if held else np.zeros(0) for held in parts]
