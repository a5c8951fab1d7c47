from __future__ import annotations

import numpy as np

from isocenter.ops.evolution import evolved

HOW = {"population": 30, "generations": 40}


def rugged(genes: np.ndarray) -> float:
    """Many local heights; the greatest, 0, at 0.7 in every gene."""
    z = 10 * (genes - 0.7)
    return float(-(z**2 - 3 * np.cos(3 * z) + 3).sum())


def test_it_climbs_a_rugged_hill_where_chance_does_not() -> None:
    found, height = evolved(rugged, 4, seed=0, **HOW)
    assert np.abs(found - 0.7).max() < 0.02
    assert height == rugged(found) > -0.5
    tries = np.random.default_rng(0).random((30 * 41, 4))
    assert max(map(rugged, tries)) < height - 1


def test_the_same_seed_gives_the_same_and_another_another() -> None:
    first, again, other = (evolved(rugged, 3, seed=s, **HOW)[0] for s in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_best_never_gets_worse_and_is_told() -> None:
    said: list[tuple[int, float]] = []
    _, height = evolved(rugged, 5, population=8, generations=25, seed=3, told=lambda n, h: said.append((n, h)))
    heights = [h for _, h in said]
    assert [n for n, _ in said] == list(range(25))
    assert heights == sorted(heights) and heights[-1] == height


def test_genes_stay_between_0_and_1() -> None:
    seen: list[np.ndarray] = []

    def outwards(genes: np.ndarray) -> float:
        seen.append(genes.copy())
        return float(genes.sum())

    found, _ = evolved(outwards, 2, population=6, generations=30, seed=0)
    assert np.min(seen) >= 0 and np.max(seen) <= 1
    assert found.tolist() == [1.0, 1.0]


def test_it_leaves_a_broad_hill_for_a_narrow_higher_one() -> None:
    def hills(genes: np.ndarray) -> float:
        return 2.0 if genes[0] < 0.02 else float(-abs(genes[0] - 0.8))

    heights = [evolved(hills, 1, population=10, generations=1000, seed=s)[1] for s in range(4)]
    assert heights == [2.0] * 4
