"""Shifts between images that show part of the same, against the plain sum over every shift."""

import numpy as np
import pytest
from scipy import ndimage

from isocenter.ops.offset import correlations, offset


def scene(shape, seed=0, sigma=2.0):
    return ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), sigma)


def test_every_shift_has_the_correlation_that_numpy_gives():
    first, second = scene((9, 11)), scene((7, 8), 1)
    like, count = correlations(first, second)
    assert like.shape == count.shape == (15, 18)
    for place in np.ndindex(like.shape):
        dy, dx = place[0] - 6, place[1] - 7
        rows, columns = slice(max(dy, 0), min(9, dy + 7)), slice(max(dx, 0), min(11, dx + 8))
        a = first[rows, columns]
        b = second[rows.start - dy : rows.stop - dy, columns.start - dx : columns.stop - dx]
        assert count[place] == a.size
        if a.size > 3:
            assert like[place] == pytest.approx(np.corrcoef(a.ravel(), b.ravel())[0, 1], abs=1e-6)


@pytest.mark.parametrize("rank", [2, 3])
def test_the_shift_is_found_in_any_direction_and_whatever_the_exposure(rank):
    whole = scene((60,) * 2 if rank == 2 else (24, 26, 28))
    n = whole.shape[0]
    first = whole[: n * 2 // 3]
    second = 3.0 * whole[n // 3 :, 3:] + 7
    found = offset(first, second)
    assert np.allclose(found.shift, [n // 3, 3, 0][:rank], atol=0.1)
    assert found.likeness == pytest.approx(1.0, abs=1e-6)
    back = offset(second, first)
    assert np.allclose(back.shift, -found.shift, atol=0.1)
    assert back.share == pytest.approx(found.share)


def test_between_pixels_the_peak_is_interpolated():
    whole = scene((80, 80), sigma=3.0)
    second = ndimage.shift(whole, (0.4, -0.3), order=5)[6:-6, 6:-6]
    assert np.allclose(offset(whole[5:-5, 5:-5], second).shift, [0.6, 1.3], atol=0.15)


def test_a_shift_may_be_held_near_a_guess():
    first = np.tile(scene((10, 40)), (5, 1))
    second = first[:30]
    assert offset(first, second, near=np.array([21.0, 0.0]), reach=4).shift.round().tolist() == [20, 0]
    assert offset(first, second, near=np.array([200.0, 0.0]), reach=4) is None


def test_flat_images_have_no_shift():
    assert offset(np.ones((8, 8)), scene((8, 8))) is None
    assert offset(np.ones((8, 8)), np.ones((8, 8))) is None
