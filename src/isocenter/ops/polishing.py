"""A map between two overlapping images made exact from their pixels: Gauss and Newton over what overlaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from isocenter.ops.adjustment import changed, generators
from isocenter.ops.array import Array
from isocenter.ops.transforms import apply_matrix

# Pixels of the first image that are looked at, at most; more add nothing to a handful of numbers.
LOOKED = 40_000
ROUNDS = 25
# Errors beyond so many spreads count less.
HUBER = 1.5
# Margin in spreads of the Gaussian, and the fewest pixels that say anything.
EDGE, FEWEST = 1.5, 200
# A gain of likeness below that ends it.
ENOUGH = 1e-7


@dataclass(frozen=True, eq=False)
class Polished:
    """What came of it.

    Parameters
    ----------
    matrix
        (w + 1, w + 1) from the first image's coordinates to the second's.
    likeness
        Correlation coefficient over the overlap, of the smoothed images.
    share
        Of the first image's pixels that overlap.
    """

    matrix: Array
    likeness: float
    share: float


def polished(
    first: Array, second: Array, matrix: Array, *, kind: str, spacing: tuple[Array, Array], sigma: float = 1.0
) -> Polished | None:
    """The map under which the second image is most like the first, up to brightness and contrast.

    Steps of Lucas and Kanade (IJCAI 1981; Baker and Matthews, IJCV 56 (2004) 221), with a gain and an offset solved in
    each round and errors weighted by Huber's function.

    Parameters
    ----------
    first, second
        (*grid) numbers, finite.
    matrix
        (w + 1, w + 1), near the answer: within about two `sigma`.
    kind
        One of `isocenter.ops.adjustment.KINDS`.
    spacing
        Lengths (axes,) of a pixel of each, in array order; coordinates are indices times these, (x, y[, z]).
    sigma
        Of the Gaussian that smooths both first, in pixels of the first.

    Returns
    -------
    None where less than a few hundred pixels overlap, or nothing is to be seen there.
    """
    here, there = (ndimage.gaussian_filter(np.asarray(v, np.float32), sigma * np.asarray(spacing[0]) / s)
                   for v, s in ((first, spacing[0]), (second, spacing[1])))  # fmt: skip
    at = _strided(first.shape)
    # Near its edge an image is smoothed with what it lacks; where the overlap is thin it must do.
    margins = (np.full(first.ndim, EDGE * sigma), EDGE * sigma * np.asarray(spacing[0]) / spacing[1])
    shapes, nothing = (first.shape, second.shape), np.zeros(first.ndim)
    if _inside(matrix, at, margins=margins, spacing=spacing, shapes=shapes)[0].sum() < FEWEST:
        margins = (nothing, nothing)
    points = (at * spacing[0])[:, ::-1]
    values = here[tuple(at.astype(int).T)].astype(float)
    slopes = [np.gradient(there, axis=a) / spacing[1][a] for a in range(first.ndim)][::-1]
    basis = generators(kind, first.ndim)
    found, low, best = np.array(matrix, float), 0.0, None
    for _ in range(ROUNDS):
        inside, places = _inside(found, at, margins=margins, spacing=spacing, shapes=shapes)
        if inside.sum() < FEWEST:
            break
        seen = [ndimage.map_coordinates(v, places.T, order=1, mode="nearest") for v in (there, *slopes)]
        like = _correlation(values[inside], seen[0])
        if like <= low:
            break
        gained, low, best = like - low, like, (found, like)
        if gained < ENOUGH:
            break
        step = _step(values[inside], seen[0], np.stack(seen[1:], 1), apply_matrix(found, points[inside]), basis)
        found = changed(step, basis) @ found
    if best is None:
        return None
    kept, _ = _inside(best[0], at, margins=(nothing, nothing), spacing=spacing, shapes=shapes)
    return Polished(best[0], best[1], float(kept.mean()))


def _strided(shape: tuple[int, ...]) -> Array:
    """Indices (n, axes) of pixels, evenly, at most about `LOOKED`."""
    step = max(1, int(np.ceil((np.prod(shape, dtype=float) / LOOKED) ** (1 / len(shape)))))
    axes = [np.arange(min(step // 2, n - 1), n, step) for n in shape]
    return np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, len(shape)).astype(float)


def _inside(
    matrix: Array, at: Array, *, margins: tuple[Array, Array], spacing: tuple[Array, Array],
    shapes: tuple[tuple[int, ...], tuple[int, ...]],
) -> tuple[Array, Array]:
    """Which indices of the first image lie in both by more than the margins, and where those are in the second."""
    there = apply_matrix(matrix, (at * spacing[0])[:, ::-1])[:, ::-1] / spacing[1]
    kept = np.ones(len(at), bool)
    for places, margin, shape in zip((at, there), margins, shapes, strict=True):
        kept &= ((places >= margin) & (places <= np.asarray(shape) - 1 - margin)).all(axis=1)
    return kept, there[kept]


def _correlation(a: Array, b: Array) -> float:
    a, b = a - a.mean(), b - b.mean()
    both = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum()) / both if both > 0 else 0.0


def _step(values: Array, seen: Array, slopes: Array, there: Array, basis: Array) -> Array:
    """The change of the map that takes most of the difference away."""
    rank = there.shape[1]
    one = np.concatenate([there, np.ones((len(there), 1))], axis=1)
    moves = np.einsum("kab,nb->nak", basis[:, :rank], one)
    answers = np.einsum("na,nak->nk", slopes, moves)
    # values = gain * (seen + answers . step) + offset, in which the gain of the slopes is that of the round before.
    gain = np.polyfit(seen, values, 1)[0] if seen.std() > 0 else 1.0
    table = np.concatenate([gain * answers, seen[:, None], np.ones((len(seen), 1))], axis=1)
    scale = np.maximum(np.abs(table).max(axis=0), 1e-12)
    weight = np.ones(len(values))
    for _ in range(3):
        found = np.linalg.lstsq(table / scale * weight[:, None], values * weight, rcond=1e-10)[0] / scale
        error = np.abs(values - table @ found)
        wide = HUBER * 1.4826 * float(np.median(error)) + 1e-12
        weight = np.sqrt(np.minimum(1.0, wide / np.maximum(error, 1e-12)))
    return np.asarray(found[: len(basis)])
