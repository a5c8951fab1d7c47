"""Objects made whole."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from isocenter.ops.mending import mended


def plain(numbers: np.ndarray) -> np.ndarray:
    """Object by object, by scipy."""
    out = numbers.copy()
    for i, box in enumerate(ndimage.find_objects(numbers), start=1):
        if box is None:
            continue
        mask = numbers[box] == i
        parts, _ = ndimage.label(mask)
        kept = parts == int(np.bincount(parts.ravel())[1:].argmax()) + 1
        out[box][mask & ~kept] = 0
        out[box][ndimage.binary_fill_holes(kept) & (out[box] == 0)] = i
    return out


@pytest.mark.parametrize("shape", [(40, 60), (1, 30), (14, 20, 22), (1, 20, 20), (20, 1, 20)])
@pytest.mark.parametrize("seed", range(4))
def test_it_is_what_scipy_makes_of_each_object(shape: tuple[int, ...], seed: int) -> None:
    rng = np.random.default_rng(seed)
    coarse = ndimage.gaussian_filter(rng.normal(size=shape), 1.2)
    numbers = (np.digitize(coarse, np.quantile(coarse, [0.3, 0.5, 0.7, 0.85])) % 5).astype(np.int32)
    numbers[rng.uniform(size=shape) < 0.1] = 0
    assert np.array_equal(mended(numbers), plain(numbers))


def test_a_ring_is_filled_and_its_guest_stays() -> None:
    numbers = np.zeros((20, 20), np.int32)
    numbers[2:14, 2:14] = 3
    numbers[4:12, 4:12] = 0
    numbers[6:8, 6:8] = 1
    numbers[18, 18] = 3
    found = mended(numbers)
    assert (found[6:8, 6:8] == 1).all() and found[18, 18] == 0
    assert np.count_nonzero(found == 3) == 144 - 4
    assert numbers[18, 18] == 3


def test_of_equal_parts_the_first_remains() -> None:
    numbers = np.zeros((5, 9), np.int32)
    numbers[1:3, 1:3] = numbers[1:3, 5:7] = 1
    assert np.array_equal(np.argwhere(mended(numbers)), [[1, 1], [1, 2], [2, 1], [2, 2]])


def test_nothing_is_nothing() -> None:
    assert not mended(np.zeros((4, 5), np.int32)).any()
