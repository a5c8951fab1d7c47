"""Basins of a height."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from isocenter.ops import basins


def plain_summits(height: np.ndarray) -> np.ndarray:
    """Steepest ascent, pixel by pixel; of equal heights the later pixel."""
    out = np.full(height.shape, -1, np.int64)
    for start in np.argwhere(height > basins.FAINT):
        at = tuple(start)
        while True:
            near = [range(max(0, c - 1), min(n, c + 2)) for c, n in zip(at, height.shape, strict=True)]
            ring = [tuple(p) for p in np.stack(np.meshgrid(*near, indexing="ij"), -1).reshape(-1, height.ndim)]
            best = max(ring, key=lambda p: (height[p], np.ravel_multi_index(p, height.shape)))
            if best == at:
                break
            at = best
        out[tuple(start)] = np.ravel_multi_index(at, height.shape)
    return out


@pytest.mark.parametrize("shape", [(9, 13), (5, 6, 7), (1, 8)])
def test_summits_are_those_of_a_plain_climb(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    height = np.round(np.maximum(rng.normal(0.5, 1.0, shape), 0), 1).astype(np.float32)
    assert np.array_equal(basins.summits(height), plain_summits(height))


def dumbbell(neck: int, shape: tuple[int, int] = (40, 60)) -> np.ndarray:
    """Two discs of radius 9 joined by a neck of so many pixels."""
    grid = np.indices(shape)
    mask = np.zeros(shape, bool)
    for centre in ((20, 18), (20, 42)):
        mask |= ((grid - np.reshape(centre, (2, 1, 1))) ** 2).sum(0) <= 81
    half = neck // 2
    mask[20 - half : 20 - half + neck, 18:42] = True
    return mask


def depth(mask: np.ndarray) -> np.ndarray:
    return ndimage.gaussian_filter(ndimage.distance_transform_edt(mask).astype(np.float32), 0.7) * mask


@pytest.mark.parametrize(("neck", "expected"), [(3, 2), (9, 2), (17, 1)])
def test_a_thin_neck_divides_and_a_thick_one_does_not(neck: int, expected: int) -> None:
    mask = dumbbell(neck)
    found = basins.divided(mask, depth(mask), prominence=0.2)
    assert found.max() == expected
    assert np.array_equal(found > 0, mask)


def test_prominence_is_a_share_so_that_size_does_not_matter() -> None:
    small = dumbbell(9)
    large = np.kron(small, np.ones((3, 3), bool)).astype(bool)
    for share in (0.1, 0.3, 0.6):
        one, other = (basins.divided(m, depth(m), prominence=share).max() for m in (small, large))
        assert one == other
    assert basins.divided(small, depth(small), prominence=0.6).max() == 1


def test_the_division_runs_through_the_neck() -> None:
    mask = dumbbell(5)
    found = basins.divided(mask, depth(mask), prominence=0.2)
    assert len(np.unique(found[:, :26][mask[:, :26]])) == 1
    assert len(np.unique(found[:, 34:][mask[:, 34:]])) == 1


def test_small_objects_are_dropped_and_nothing_stays_nothing() -> None:
    mask = dumbbell(5)
    mask[2, 2] = True
    assert basins.divided(mask, depth(mask), prominence=0.2, least=1).max() == 3
    assert basins.divided(mask, depth(mask), prominence=0.2, least=10).max() == 2
    assert not basins.divided(np.zeros((4, 5), bool), np.zeros((4, 5), np.float32), prominence=0.2).any()


def test_a_mask_that_fills_its_grid() -> None:
    height = np.ones((3, 4, 5), np.float32)
    assert (basins.divided(np.ones((3, 4, 5), bool), height, prominence=0.1) == 1).all()


@pytest.mark.parametrize("ground", [True, False])
def test_basins_are_numbered_by_their_summit(ground: bool) -> None:
    rng = np.random.default_rng(1)
    roots = rng.choice([3, 17, 40, 41, -1 if ground else 0], (6, 9))
    there, positions = basins._numbered(roots)
    expected, inverse = np.unique(roots, return_inverse=True)
    assert np.array_equal(there, expected) and np.array_equal(positions, inverse.reshape(roots.shape))
