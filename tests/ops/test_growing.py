from __future__ import annotations

from collections import deque
from itertools import product

import numpy as np
import pytest

from isocenter.ops.growing import LEAST_SD, grown


def flooded(values: np.ndarray, seeds: np.ndarray, tolerance: float) -> np.ndarray:
    """The oracle of one round: pixel by pixel from the seeds outwards."""
    mean, sd = values[seeds].mean(), max(values[seeds].std(), LEAST_SD * values.std())
    region = seeds.copy()
    queue = deque(map(tuple, np.argwhere(seeds)))
    while queue:
        at = queue.popleft()
        for step in product((-1, 0, 1), repeat=values.ndim):
            there = tuple(np.add(at, step))
            inside = all(0 <= i < s for i, s in zip(there, values.shape, strict=True))
            if inside and not region[there] and abs(values[there] - mean) <= tolerance * sd:
                region[there] = True
                queue.append(there)
    return region


@pytest.mark.parametrize("shape", [(17, 23), (6, 7, 8), (1, 9)])
@pytest.mark.parametrize("tolerance", [0.5, 1.5, 3.0])
def test_one_round_floods_what_is_alike(rng: np.random.Generator, shape: tuple[int, ...], tolerance: float) -> None:
    values = rng.normal(size=shape).astype(np.float32)
    seeds = np.zeros(shape, bool)
    seeds[tuple(s // 2 for s in shape)] = seeds[(0,) * len(shape)] = True
    assert np.array_equal(grown(values, seeds, tolerance=tolerance, rounds=1), flooded(values, seeds, tolerance))


def test_the_region_follows_its_own_mean() -> None:
    values = np.zeros((40, 40), np.float32)
    y, x = np.mgrid[:40, :40]
    inside = (y - 20) ** 2 + (x - 20) ** 2 < 144
    values[inside] = 100 + np.random.default_rng(0).normal(0, 8, inside.sum())
    seeds = np.zeros(values.shape, bool)
    seeds[19:22, 19:22] = True
    one, several = (grown(values, seeds, tolerance=2.5, rounds=n) for n in (1, 10))
    assert np.count_nonzero(several & inside) > 0.95 * inside.sum()
    assert not (several & ~inside).any() and not (one & ~inside).any()


def test_it_does_not_jump_and_stays_within_reach() -> None:
    values = np.zeros((9, 30), np.float32)
    values[2:7, 2:12] = values[2:7, 15:28] = 50
    seeds = np.zeros(values.shape, bool)
    seeds[4, 4] = True
    assert np.array_equal(np.unique(np.argwhere(grown(values, seeds, tolerance=2, rounds=5))[:, 1]), np.arange(2, 12))
    reach = np.zeros(values.shape, bool)
    reach[:, :8] = True
    assert grown(values, seeds, tolerance=2, rounds=5, reach=reach).sum() == 5 * 6


def test_seeds_belong_to_it_and_without_seeds_there_is_nothing() -> None:
    values = np.zeros((5, 5), np.float32)
    values[0, 0] = 1e6
    seeds = np.zeros((5, 5), bool)
    assert not grown(values, seeds, tolerance=9, rounds=3).any()
    seeds[0, 0] = seeds[4, 4] = True
    assert grown(values, seeds, tolerance=0.01, rounds=1)[[0, 4], [0, 4]].all()
