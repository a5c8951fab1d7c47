"""Objects from votes for their centres."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from isocenter.ops import voting


def discs(shape: tuple[int, ...], centres: list[tuple[int, ...]], radius: float) -> np.ndarray:
    grid = np.indices(shape)
    out = np.zeros(shape, np.int32)
    for i, centre in enumerate(centres, start=1):
        near = ((grid - np.reshape(centre, (-1,) + (1,) * len(shape))) ** 2).sum(0) <= radius**2
        out[near & (out == 0)] = i
    return out


def votes(numbers: np.ndarray) -> np.ndarray:
    offsets = np.zeros((numbers.ndim, *numbers.shape), np.float32)
    for i in range(1, numbers.max() + 1):
        places = np.argwhere(numbers == i)
        offsets[:, numbers == i] = (places.mean(0) - places).T
    return offsets


def same_partition(a: np.ndarray, b: np.ndarray) -> bool:
    pairs = {(int(x), int(y)) for x, y in zip(a.ravel(), b.ravel(), strict=True)}
    return len(pairs) == len({x for x, _ in pairs}) == len({y for _, y in pairs})


@pytest.mark.parametrize(
    ("shape", "centres"),
    [((40, 60), [(12, 12), (12, 25), (26, 18), (39, 59)]), ((16, 20, 20), [(6, 6, 6), (6, 6, 13)])],
)
def test_touching_objects_are_told_apart(shape: tuple[int, ...], centres: list[tuple[int, ...]]) -> None:
    truth = discs(shape, centres, 7)
    noise = np.random.default_rng(0).normal(0, 0.7, (len(shape), *shape)).astype(np.float32)
    found = voting.objects(truth > 0, votes(truth) + noise, np.ones(shape, np.float32), prominence=0.3)
    assert found.max() == len(centres)
    assert same_partition(found, truth)


def test_small_neighbours_stay_apart_and_a_large_one_whole() -> None:
    small = discs((30, 60), [(14, 12), (14, 17), (20, 15)], 2)
    large = discs((60, 60), [(30, 30)], 25)
    rng = np.random.default_rng(1)
    for truth, noise in ((small, 0.3), (large, 4.0)):
        offsets = votes(truth) + rng.normal(0, noise, (2, *truth.shape)).astype(np.float32)
        found = voting.objects(truth > 0, offsets, np.ones(truth.shape, np.float32), prominence=0.4)
        assert found.max() == truth.max()


def test_faint_objects_are_none() -> None:
    truth = discs((30, 40), [(14, 12), (14, 25)], 5)
    weights = np.where(truth == 2, 0.01, 1.0).astype(np.float32)
    assert voting.objects(truth > 0, votes(truth), weights, prominence=0.3, least=2.0).max() == 1


def test_nothing_inside_gives_nothing() -> None:
    empty = np.zeros((5, 6), bool)
    nowhere = np.zeros((2, 5, 6), np.float32)
    assert not voting.objects(empty, nowhere, nowhere[0], prominence=0.3).any()


def test_votes_beyond_the_rim_count_at_the_rim() -> None:
    inside = np.zeros((8, 8), bool)
    inside[0:3, 0:3] = True
    offsets = np.full((2, 8, 8), -50.0, np.float32)
    found = voting.objects(inside, offsets, np.ones((8, 8), np.float32), prominence=0.3)
    assert np.array_equal(found > 0, inside) and found.max() == 1


def test_spread_is_zero_where_all_votes_meet() -> None:
    truth = discs((20, 20), [(6, 6), (14, 14)], 4)
    exact = votes(truth)
    assert voting.spread(truth, exact, truth.shape) == pytest.approx([0, 0], abs=1e-6)
    exact[:, truth == 2] = 0
    spread = voting.spread(truth, exact, truth.shape)
    assert spread[0] == pytest.approx(0, abs=1e-6) and 2 < spread[1] < 4


@pytest.mark.parametrize("shape", [(30, 41), (12, 9, 14), (1, 20)])
@pytest.mark.parametrize("sd", [0.8, 2.3, 10.4])
def test_votes_are_smoothed_as_by_a_dense_filter(shape: tuple[int, ...], sd: float) -> None:
    rng = np.random.default_rng(3)
    sparse = rng.uniform(0, 2, shape) * (rng.uniform(size=shape) < 0.1)
    expected = ndimage.gaussian_filter(sparse, sd, mode="constant", truncate=3.0)
    assert np.allclose(voting.smoothed(sparse.copy(), sd), expected, rtol=1e-12, atol=1e-15)
    held = np.full(shape, np.nan)
    assert np.allclose(voting.smoothed(sparse.copy(), sd, held), expected, rtol=1e-12, atol=1e-15)
