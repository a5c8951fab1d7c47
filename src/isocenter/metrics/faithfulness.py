"""Whether a map shows what the answer rests on: deletion, insertion, and weights drawn anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from isocenter.data import Attribution, Case
from isocenter.metrics.asked import Asked, asked, with_pixels
from isocenter.ops.array import Array

# Steps of a curve; random orders that it is held against.
STEPS, ORDERS = 16, 2
# Times that weights are drawn anew where there is no map to compare.
DRAWS = 3
# SD of the blur that takes the structure away, and of the blobs of a random order: a share of the longest axis.
BLUR = 1 / 12
# Pixels that a rank correlation looks at.
MOST = 100_000


@dataclass(frozen=True, eq=False)
class Curve:
    """The answer while pixels are taken away or given back in the order of a map.

    Parameters
    ----------
    shares
        (k,) share of the pixels, 0 to 1.
    answers, random
        (k,) the answer in the map's order, and the mean over random orders.
    """

    shares: Array
    answers: Array
    random: Array

    @property
    def area(self) -> float:
        """Under the curve."""
        return float(np.trapezoid(self.answers, self.shares))

    @property
    def area_random(self) -> float:
        """Under that of the random orders."""
        return float(np.trapezoid(self.random, self.shares))


@dataclass(frozen=True, eq=False)
class Checked:
    """A map with its checks: `found.checks` holds the numbers, `curves` ("deletion", "insertion") what they are of."""

    found: Attribution
    curves: Mapping[str, Curve] = field(default_factory=dict)


def checked(explainer: Any, predictor: Any, case: Case, found: Attribution) -> Checked:
    """The checks of one map.

    Parameters
    ----------
    explainer
        What made the map; where it has `redrawn`, it is asked again about a network with other weights.
    predictor
        What is explained.
    case, found
        The case and the map.

    Returns
    -------
    Checked
        ``checks`` holds ``answer``, ``deletion``, ``deletion_random``, ``insertion``, ``insertion_random`` (areas
        between 0 and 1) and, where weights can be drawn anew, ``randomised`` (rank correlation of the two maps).
    """
    numbers: dict[str, float] = {}
    curves: dict[str, Curve] = {}
    question = asked(predictor, case, found.target)
    if isinstance(question, Asked):
        makers = {"deletion": deletion, "insertion": insertion}
        curves = {name: make(question, case, found.values) for name, make in makers.items()}
        numbers["answer"] = float(curves["deletion"].answers[0])
        for name, curve in curves.items():
            numbers |= {name: curve.area, f"{name}_random": curve.area_random}
    if hasattr(explainer, "redrawn") and hasattr(predictor, "opened"):
        numbers["randomised"] = redrawn_correlation(explainer, case, found)
    return Checked(replace(found, checks=numbers), curves)


def redrawn_correlation(explainer: Any, case: Case, found: Attribution) -> float:
    """Rank correlation of a map with that of the same network with other weights, -1 to 1.

    A network that knows nothing may find no region, or nothing that speaks for the class, so that there is no map to
    compare: then the weights are drawn again, `DRAWS` times at most; 0 where none gives a map.
    """
    for seed in range(DRAWS):
        other = explainer.redrawn(found.target, seed=seed).predict(case)
        if isinstance(other, Attribution) and np.ptp(other.values) > 0:
            return rank_correlation(found.values, other.values)
    return 0.0


def deletion(question: Asked, case: Case, values: Array, *, steps: int = STEPS, orders: int = ORDERS) -> Curve:
    """The answer while pixels become their channel's mean, what speaks most for it first: it should fall at once.

    Parameters
    ----------
    question, case
        Who is asked about what.
    values
        The map (*grid).
    steps, orders
        Points of the curve beside the first; random orders beside it. A random order goes blob by blob: single pixels
        strewn over the image would be noise, which networks fear more than any hole.

    Source: Petsiuk, Das, Saenko, RISE, BMVC 2018.
    """
    pixels = case.image().still().pixels()
    return _curve(question, case, values, pair=(pixels, emptied(pixels, values.ndim, "mean")), sizes=(steps, orders))


def insertion(question: Asked, case: Case, values: Array, *, steps: int = STEPS, orders: int = ORDERS) -> Curve:
    """The answer while pixels come back to the blurred image, what speaks most for it first: it should rise at once.

    Parameters and source as `deletion`.
    """
    pixels = case.image().still().pixels()
    return _curve(question, case, values, pair=(emptied(pixels, values.ndim, "blur"), pixels), sizes=(steps, orders))


def emptied(pixels: Array, rank: int, fill: str) -> Array:
    """The pixels (..., *grid) without their structure, float64.

    Parameters
    ----------
    pixels
        Channels may stand before the `rank` spatial axes.
    fill
        ``"mean"`` of each channel, ``"blur"`` (SD a twelfth of the longest axis) or ``"black"`` (least value).
    """
    values = np.asarray(pixels, np.float64)
    grid = tuple(range(values.ndim - rank, values.ndim))
    if fill == "mean":
        return np.broadcast_to(values.mean(axis=grid, keepdims=True), values.shape)
    if fill == "black":
        return np.broadcast_to(values.min(axis=grid, keepdims=True), values.shape)
    from scipy.ndimage import gaussian_filter

    sd = BLUR * max(values.shape[a] for a in grid)
    return np.asarray(gaussian_filter(values, [sd if a in grid else 0 for a in range(values.ndim)], mode="nearest"))


def rank_correlation(a: Array, b: Array) -> float:
    """Spearman's rank correlation of two maps of one grid, -1 to 1; 0 where one of them is constant."""
    from scipy.stats import rankdata

    step = max(1, a.size // MOST)
    x, y = (rankdata(v.ravel()[::step]) for v in (a, b))
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])


def order_of(values: Array) -> Array:
    """Pixels by falling value, as flat indices; equal ones in a random order, which is always the same."""
    drawn = np.random.default_rng(0).random(values.size)
    return np.lexsort((drawn, -np.nan_to_num(np.asarray(values, np.float64).ravel())))


def blobs(shape: tuple[int, ...], seed: int) -> Array:
    """A random map (*shape) of soft blobs."""
    from scipy.ndimage import gaussian_filter

    noise = np.random.default_rng(seed).normal(size=shape)
    return np.asarray(gaussian_filter(noise, BLUR * max(shape), mode="wrap"))


def _curve(
    question: Asked, case: Case, values: Array, *, pair: tuple[Array, Array], sizes: tuple[int, int]
) -> Curve:
    begun, ended = pair
    steps, orders = sizes
    shares = np.arange(steps + 1) / steps
    ends = [question.answer(with_pixels(case, p)) for p in pair]

    def between(order: Array, share: float) -> float:
        moved = np.zeros(values.size, bool)
        moved[order[: round(share * values.size)]] = True
        return question.answer(with_pixels(case, np.where(moved.reshape(values.shape), ended, begun)))

    def along(map_: Array) -> Array:
        order = order_of(map_)
        return np.array([ends[0], *(between(order, float(s)) for s in shares[1:-1]), ends[1]])

    random = np.mean([along(blobs(values.shape, seed)) for seed in range(1, orders + 1)], axis=0)
    return Curve(shares, along(values), random)


