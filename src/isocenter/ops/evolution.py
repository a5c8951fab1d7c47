"""A genetic algorithm over numbers between 0 and 1."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from isocenter.ops.array import Array

# Parents are the best of this many drawn; the best of all live on; a gene changes with this probability by this SD,
# and with another it is drawn anew: from a broad hill no small step leads to a narrow, higher one.
TOURNAMENT, ELITE, MUTATION, STEP, ANEW = 3, 2, 0.2, 0.15, 0.05
# How far a child may lie beyond its parents, as a share of their distance.
BEYOND = 0.3


def evolved(
    fitness: Callable[[Array], float],
    genes: int,
    *,
    population: int,
    generations: int,
    seed: int,
    told: Callable[[int, float], None] | None = None,
) -> tuple[Array, float]:
    """The fittest individual that appeared.

    Tournament selection, blend crossover, Gaussian mutation, and the best two live on.

    Sources: Goldberg, Genetic Algorithms in Search, Optimization and Machine Learning, 1989; Eshelman, Schaffer,
    Real-coded genetic algorithms and interval-schemata, FOGA 2 (1993) 187.

    Parameters
    ----------
    fitness
        Of float64 (genes,) in 0..1; greater is better.
    genes
        How many.
    population
        Individuals, at least 3.
    generations
        After the first.
    seed
        Of all that is drawn.
    told
        Receives each generation's number from 0 and its best fitness.

    Returns
    -------
    Genes and their fitness; of equals, the first that appeared.

    >>> best, height = evolved(lambda g: -abs(g[0] - 0.3), 1, population=10, generations=30, seed=0)
    >>> bool(abs(best[0] - 0.3) < 0.01)
    True
    """
    rng = np.random.default_rng(seed)
    living = rng.random((population, genes))
    heights = np.array([fitness(one) for one in living])
    best, height = living[int(heights.argmax())].copy(), float(heights.max())
    for generation in range(generations):
        children = _children(living, heights, rng)
        elite = np.argsort(-heights, kind="stable")[:ELITE]
        found = np.array([fitness(one) for one in children])
        living, heights = np.concatenate([living[elite], children]), np.concatenate([heights[elite], found])
        if heights.max() > height:
            best, height = living[int(heights.argmax())].copy(), float(heights.max())
        if told is not None:
            told(generation, height)
    return best, height


def _children(living: Array, heights: Array, rng: np.random.Generator) -> Array:
    n, genes = len(living) - ELITE, living.shape[1]
    drawn = rng.integers(0, len(living), (2, n, TOURNAMENT))
    chosen = np.take_along_axis(drawn, heights[drawn].argmax(axis=2)[..., None], axis=2)[..., 0]
    one, other = living[chosen[0]], living[chosen[1]]
    share = rng.uniform(-BEYOND, 1 + BEYOND, (n, genes))
    child = one + share * (other - one)
    changed = rng.random((n, genes)) < MUTATION
    child = child + changed * rng.normal(0.0, STEP, (n, genes))
    child = np.where(rng.random((n, genes)) < ANEW, rng.random((n, genes)), child)
    return np.asarray(np.clip(child, 0.0, 1.0))
