"""A map that many pairs of points agree on, among pairs that are wrong; and how likely chance would agree as much."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from isocenter.ops.array import Array
from isocenter.ops.transforms import FAMILIES, FREEDOM, apply_matrix, fit_matrix

# Samples of one call, and at most.
BATCH, MOST = 256, 20_000
# How sure we want to be that one sample was free of wrong pairs.
SURE = 0.999
# Errors are counted at several widths: no single threshold decides (as in MAGSAC, Barath et al., CVPR 2019).
WIDTHS = (0.5, 1.0, 2.0)
# Candidates of a batch that are refined, and rounds of it.
REFINED, ROUNDS = 3, 5
# A map that changes sizes more than that, or mirrors, is no registration of two pictures of one thing.
LARGEST = 8.0
CHOICE = ("rigid", "similarity", "affine", "perspective")


@dataclass(frozen=True, eq=False)
class Agreed:
    """What was agreed on.

    Parameters
    ----------
    matrix
        (w + 1, w + 1).
    inliers
        bool (n,).
    chance
        log10 of the number of maps that would be agreed on so well among random pairs: 0 is what chance gives, the
        lower the surer.
    samples
        How many were tried.
    """

    matrix: Array
    inliers: Array
    chance: float
    samples: int


def agreed(
    source: Array, target: Array, family: str, *, threshold: float, area: float, seed: int = 0
) -> Agreed | None:
    """The matrix of a family that most pairs agree on.

    Random samples (RANSAC: Fischler and Bolles, CACM 24 (1981) 381), as many as the best share of inliers so far asks
    for; truncated errors at three widths; the best of each batch refined by reweighted least squares (LO-RANSAC: Chum
    et al., DAGM 2003). Chance: Moisan and Stival, IJCV 57 (2004) 201.

    Parameters
    ----------
    source, target
        (n, w) float, in one order.
    family
        A key of `isocenter.ops.transforms.FAMILIES`.
    threshold
        Largest distance of an inlier, in the units of `target`.
    area
        Of the space in which a random target lies, in these units to the power w.
    seed
        Of the samples.

    Returns
    -------
    None where there are too few pairs, or no sample gives a map.
    """
    n, w = source.shape
    least = FAMILIES[family][w - 2]
    if n < least + 1:
        return None
    rng = np.random.default_rng(seed)
    best, lowest, tried, needed = None, np.inf, 0, float(MOST)
    while tried < min(needed, MOST):
        picks = rng.random((BATCH, n)).argpartition(least - 1, axis=1)[:, :least]
        tried += BATCH
        found = fit_matrix(family, source[picks], target[picks])
        found = found[plausible(found, source)]
        if not len(found):
            continue
        cost = costs(errors(found, source, target), threshold)
        for i in np.argsort(cost, kind="stable")[:REFINED]:
            matrix = refined(found[i], source, target, family, threshold=threshold)
            score = float(costs(errors(matrix, source, target), threshold))
            if score < lowest:
                best, lowest = matrix, score
                share = float((errors(matrix, source, target) <= threshold).mean())
                needed = np.log(1 - SURE) / np.log1p(-min(share**least, 1 - 1e-12)) if share > 0 else MOST
    if best is None:
        return None
    inliers = errors(best, source, target) <= threshold
    return Agreed(best, inliers, by_chance(n, int(inliers.sum()), least, _share(threshold, area, w)), tried)


def _share(threshold: float, area: float, w: int) -> float:
    """Of the space that lies within the threshold of a point."""
    ball = np.pi * threshold**2 if w == 2 else 4 / 3 * np.pi * threshold**3
    return float(min(ball / max(area, 1e-12), 1.0))


def errors(matrix: Array, source: Array, target: Array) -> Array:
    """Distances (..., n) after the map; inf where a point has no place."""
    with np.errstate(over="ignore", invalid="ignore"):
        away = np.sqrt(((apply_matrix(matrix, np.broadcast_to(source, (*matrix.shape[:-2], *source.shape))) - target)
                        ** 2).sum(-1))
    return np.asarray(np.where(np.isfinite(away), away, np.inf))


def costs(error: Array, threshold: float) -> Array:
    """Mean (...,) over pairs and widths of min(1, e^2 / width^2)."""
    squared = np.minimum(error, 1e6 * threshold) ** 2
    parts = [np.minimum(squared / (width * threshold) ** 2, 1.0) for width in WIDTHS]
    return np.asarray(np.mean(parts, axis=0).mean(axis=-1))


def refined(matrix: Array, source: Array, target: Array, family: str, *, threshold: float) -> Array:
    """Least squares over what is near, nearer counting more (Tukey's weights), until it no longer gets better."""
    lowest = float(costs(errors(matrix, source, target), threshold))
    for _ in range(ROUNDS):
        away = errors(matrix, source, target) / (WIDTHS[-1] * threshold)
        weights = np.where(away < 1, (1 - np.minimum(away, 1.0) ** 2) ** 2, 0.0)
        near = weights > 0
        if near.sum() < FAMILIES[family][source.shape[1] - 2]:
            break
        trial = fit_matrix(family, source[near], target[near], weights[near])
        if not plausible(trial[None], source)[0]:
            break
        score = float(costs(errors(trial, source, target), threshold))
        if score >= lowest - 1e-9:
            return trial if score < lowest else matrix
        matrix, lowest = trial, score
    return matrix


def plausible(matrices: Array, source: Array) -> Array:
    """bool (b,): finite, no mirror image, and sizes change by no more than a factor at any corner of the points."""
    w = source.shape[1]
    ok = np.asarray(np.isfinite(matrices).all((1, 2)))
    safe = np.where(ok[:, None, None], matrices, np.eye(w + 1))
    low, high = source.min(axis=0), source.max(axis=0)
    corners = np.stack(np.meshgrid(*np.stack([low, high], 1), indexing="ij"), -1).reshape(-1, w)
    depth = corners @ np.swapaxes(safe[:, w:, :w], -1, -2) + safe[:, w:, w:]
    ok &= (depth[..., 0] > 0.05).all(axis=1)
    # The determinant of the Jacobian of a perspective map at a point is det(M) / depth^(w + 1).
    volume = np.linalg.det(safe)[:, None] / np.maximum(depth[..., 0], 0.05) ** (w + 1)
    return np.asarray(ok & (volume > LARGEST**-w).all(axis=1) & (volume < LARGEST**w).all(axis=1))


def by_chance(pairs: int, inliers: int, least: int, share: float) -> float:
    """log10 of the expected number of maps, over all samples and sets, with so many inliers among random pairs.

    >>> by_chance(100, 5, 3, 0.001) > 0, by_chance(100, 30, 3, 0.001) < -20
    (True, True)
    """
    if inliers <= least:
        return float(np.log10(max(pairs - least, 1)))

    def choose(a: int, b: int) -> float:
        return float((gammaln(a + 1) - gammaln(b + 1) - gammaln(a - b + 1)) / np.log(10))

    sets = np.log10(max(pairs - least, 1)) + choose(pairs, inliers) + choose(inliers, least)
    return float(sets + (inliers - least) * np.log10(max(share, 1e-300)))


def simplest(source: Array, target: Array, families: tuple[str, ...] = CHOICE) -> tuple[str, Array] | None:
    """The family whose fit explains the pairs best for its free numbers, and its matrix.

    The geometric information criterion of Torr, Phil. Trans. R. Soc. A 356 (1998) 1321; the spread of the errors is
    that of the freest family.

    Returns
    -------
    None where no family is determined.
    """
    n, w = source.shape
    fits = {f: fit_matrix(f, source, target) for f in families if n >= FAMILIES[f][w - 2]}
    fits = {f: m for f, m in fits.items() if plausible(m[None], source)[0]}
    if not fits:
        return None
    freest = list(fits)[-1]
    away = errors(fits[freest], source, target)
    free = FREEDOM[freest][w - 2]
    # The median of a distance in the plane is 1.18 spreads, in space 1.54; what was fitted lies nearer than it is.
    spread = float(np.median(away)) / (1.177 if w == 2 else 1.538) / np.sqrt(max(1 - free / (w * n), 0.1))
    spread = max(spread, 1e-9 * float(np.abs(target).max(initial=1.0)), 1e-12)

    def criterion(family: str) -> float:
        squared = (errors(fits[family], source, target) / spread) ** 2
        return float(np.minimum(squared, 2.0 * w).sum() + FREEDOM[family][w - 2] * np.log(2 * w * n))

    name = min(fits, key=criterion)
    return name, fits[name]
