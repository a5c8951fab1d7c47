"""How well two or more readers agree, people or programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import fdtri, ndtri, stdtrit

from isocenter.data import Score
from isocenter.errors import InputError
from isocenter.ops.array import Array

FEW = 10


def cohen_kappa(a: Sequence[object], b: Sequence[object], *, order: Sequence[object] | None = None, power: int = 0,
                level: float = 0.95) -> Score:
    """Cohen's kappa: agreement of two readers beyond what chance would give.

    Source: Cohen 1960 and 1968; the standard error of Fleiss, Cohen, Everitt, Psychological Bulletin 1969.

    Parameters
    ----------
    a, b
        One label per case and reader; independent cases.
    order
        Labels in their order, for weights; None: sorted as text.
    power
        0: every disagreement counts alike. 1, 2: by distance in `order`, linear or squared.
    level
        Of the interval.

    Returns
    -------
    Score
        Value None (flag ``undefined``) where both use one and the same label only.

    Raises
    ------
    InputError
        Lengths differ, there is no case, or a label is not in `order`.
    """
    labels = list(order) if order is not None else sorted(set(a) | set(b), key=str)
    if len(a) != len(b) or not len(a) or not set(a) | set(b) <= set(labels):
        raise InputError("kappa needs two readings of every case", got=f"{len(a)} and {len(b)}")
    k, n = len(labels), len(a)
    place = {label: i for i, label in enumerate(labels)}
    flat = np.array([place[x] * k + place[y] for x, y in zip(a, b, strict=True)])
    share = np.bincount(flat, minlength=k * k).reshape(k, k) / n
    distance = np.abs(np.subtract.outer(np.arange(k), np.arange(k))) / max(k - 1, 1)
    weight = np.where(distance > 0, 0.0, 1.0) if power == 0 else 1 - distance**power
    rows, columns = share.sum(axis=1), share.sum(axis=0)
    seen, chance = float((share * weight).sum()), float(rows @ weight @ columns)
    if chance >= 1 - 1e-12:
        return Score(None, None, None, n, flags=("undefined",))
    kappa = (seen - chance) / (1 - chance)
    typical = (weight @ columns)[:, None] + (rows @ weight)[None, :]
    spread = float((share * (weight - typical * (1 - kappa)) ** 2).sum()) - (kappa - chance * (1 - kappa)) ** 2
    half = -float(ndtri((1 - level) / 2)) * np.sqrt(max(spread, 0.0) / n) / (1 - chance)
    return _scored(kappa, kappa - half, min(kappa + half, 1.0), n)


def icc(ratings: Array, *, level: float = 0.95) -> Score:
    """ICC(2,1): two-way random effects, absolute agreement, a single reading.

    Source: Shrout and Fleiss, Psychological Bulletin 1979; the interval of McGraw and Wong, Psychological Methods 1996.

    Parameters
    ----------
    ratings
        (n, readers) numbers without gaps, at least 2 of each.
    level
        Of the interval.

    Raises
    ------
    InputError
        Too few cases or readers, or a number that is not finite.
    """
    x = np.asarray(ratings, float)
    if x.ndim != 2 or min(x.shape) < 2 or not np.isfinite(x).all():
        raise InputError("ICC needs at least 2 cases by 2 readers", got=str(x.shape), wanted="finite numbers")
    n, k = x.shape
    cases, readers = x.mean(axis=1), x.mean(axis=0)
    between = k * cases.var(ddof=1)
    bias = n * readers.var(ddof=1)
    rest = float(((x - cases[:, None] - readers + x.mean()) ** 2).sum() / ((n - 1) * (k - 1)))
    bottom = between + (k - 1) * rest + k * (bias - rest) / n
    # Rounding leaves a trace of variance even where all numbers are one number.
    if bottom <= 1e-14 * max(1.0, float(np.abs(x).max())) ** 2:
        return Score(None, None, None, n, flags=("undefined",))
    value = float((between - rest) / bottom)
    if rest <= 1e-14 * between and bias <= 1e-14 * between:
        return _scored(1.0, 1.0, 1.0, n)
    a, b = k * value / (n * (1 - value)), 1 + k * value * (n - 1) / (n * (1 - value))
    v = (a * bias + b * rest) ** 2 / ((a * bias) ** 2 / (k - 1) + (b * rest) ** 2 / ((n - 1) * (k - 1)))
    upper_tail = 1 - (1 - level) / 2
    f_low, f_high = float(fdtri(n - 1, v, upper_tail)), float(fdtri(v, n - 1, upper_tail))
    noise = k * bias + (k * n - k - n) * rest
    low = n * (between - f_low * rest) / (f_low * noise + n * between)
    high = n * (f_high * between - rest) / (noise + n * f_high * between)
    return _scored(value, float(low), float(high), n)


@dataclass(frozen=True)
class BlandAltman:
    """How far two readings of the same quantity lie apart.

    Parameters
    ----------
    bias
        Mean of a - b.
    lower, upper
        Limits between which 95 in 100 differences lie, each with its own interval.
    """

    bias: Score
    lower: Score
    upper: Score


def bland_altman(a: Array, b: Array, *, unit: str = "", level: float = 0.95) -> BlandAltman:
    """Bias and limits of agreement.

    Source: Bland and Altman, Statistical Methods in Medical Research 1999.

    Parameters
    ----------
    a, b
        (n,) numbers of independent cases in one unit, n >= 2.
    unit
        To carry along.
    level
        Of the intervals; the limits themselves are always those of 95 in 100 differences.

    Raises
    ------
    InputError
        Lengths differ, fewer than 2, or a number is not finite.
    """
    x, y = np.asarray(a, float), np.asarray(b, float)
    if x.ndim != 1 or x.shape != y.shape or len(x) < 2 or not np.isfinite(x - y).all():
        raise InputError("limits of agreement need two readings of at least 2 cases", got=f"{x.shape} and {y.shape}")
    d, n = x - y, len(x)
    bias, spread = float(d.mean()), float(d.std(ddof=1))
    t = -float(stdtrit(n - 1, (1 - level) / 2))
    reach = -float(ndtri(0.025))
    limit = t * spread * np.sqrt(1 / n + reach**2 / (2 * (n - 1)))
    mean = t * spread / np.sqrt(n)

    def score(value: float, half: float) -> Score:
        return _scored(value, value - half, value + half, n, unit)

    return BlandAltman(score(bias, mean), score(bias - reach * spread, limit), score(bias + reach * spread, limit))


def _scored(value: float, low: float, high: float, n: int, unit: str = "") -> Score:
    return Score(float(value), float(low), float(high), n, unit, ("few_subjects",) if n < FEW else ())
