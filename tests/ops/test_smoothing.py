"""Smoothing against scipy's."""

import numpy as np
import pytest
from scipy import ndimage

from isocenter.ops.smoothing import REACH, gaussian, taps


@pytest.mark.parametrize("shape", [(33,), (17, 300), (5, 6, 7), (1, 9, 1)])
@pytest.mark.parametrize("sigma", [0.6, 1.5, 4.0])
def test_it_is_the_gaussian_that_scipy_cuts_at_the_same_place(shape, sigma):
    values = np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32)
    kept = values.copy()
    found = gaussian(values, (sigma,) * len(shape))
    true = [ndimage.gaussian_filter(v, sigma, truncate=REACH, mode="nearest") for v in values]
    assert found.dtype == np.float32 and np.allclose(found, true, atol=2e-6)
    assert np.array_equal(values, kept)


def test_every_axis_has_its_own_width_and_none_is_left_alone():
    values = np.random.default_rng(0).normal(size=(1, 12, 14))
    found = gaussian(values, (0.0, 2.0))
    true = ndimage.gaussian_filter1d(values[0], 2.0, axis=1, truncate=REACH, mode="nearest")
    assert np.allclose(found[0], true, atol=1e-5)
    assert np.allclose(gaussian(values, (0.1, 0.0)), values)


def test_weights_sum_to_one():
    assert np.isclose(taps(1.3).sum(), 1.0) and len(taps(1.0)) == 7 and len(taps(0.2)) == 3
