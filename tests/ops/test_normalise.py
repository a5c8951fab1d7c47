from __future__ import annotations

import numpy as np
import pytest

from isocenter.ops.normalise import percentile, rescale, standardise, window


@pytest.mark.parametrize("dtype", ["int16", "uint8", "float64", "float32"])
def test_standardise_each_channel(dtype, rng):
    array = (rng.normal(size=(2, 40, 50)) * 20 + np.array([60, 150]).reshape(2, 1, 1)).astype(dtype)
    out = standardise(array)
    assert out.dtype == np.float32
    np.testing.assert_allclose(out.mean((1, 2)), 0, atol=1e-4)
    np.testing.assert_allclose(out.std((1, 2)), 1, atol=1e-4)


def test_a_large_offset_costs_no_precision(rng):
    array = (rng.normal(size=(1, 64, 64)) + 60000).astype(np.float64)
    np.testing.assert_allclose(standardise(array), (array - array.mean()) / array.std(), atol=0.01)


def test_percentiles_reach_the_ends_and_outliers_do_not_matter(rng):
    array = rng.uniform(100, 200, size=(1, 100, 100))
    array[0, 0, 0] = 1e6
    out = percentile(array)
    low, high = np.percentile(array, (0.5, 99.5))
    assert out.min() == pytest.approx(-2) and out.max() == pytest.approx(2)
    np.testing.assert_allclose(out, (np.clip((array - low) / (high - low), 0, 1) - 0.5) / 0.25, atol=1e-4)


@pytest.mark.parametrize("how", [standardise, percentile])
@pytest.mark.parametrize("value", [0, 7, -1024])
def test_a_constant_channel_becomes_zero_and_the_other_is_untouched(how, value, rng):
    array = np.stack([np.full((8, 8), value, float), rng.normal(size=(8, 8))])
    out = how(array)
    assert not out[0].any() and np.isfinite(out).all()
    np.testing.assert_array_equal(out[1], how(array[1:])[0])


def test_window_clips_then_removes_mean_and_sd():
    array = np.array([[-1000, 0, 40, 400]], np.int16)
    np.testing.assert_allclose(window(array, -100, 100, mean=10.0, sd=5.0), [[-22, -2, 6, 18]])
    np.testing.assert_allclose(window(array, -100, 100), [[-2, 0, 0.8, 2]])


def test_rescale_divides_by_the_range_of_the_type():
    assert rescale(np.array([[0, 255]], np.uint8), "uint8").tolist() == [[0, 1]]
    assert rescale(np.array([[65535.0]]), "uint16").tolist() == [[1]]
    assert rescale(np.array([[-32767]], np.int16), "int16").tolist() == [[-1]]
    assert rescale(np.array([[0.25]]), "float32").tolist() == [[0.25]]
    assert rescale(np.array([[True]]), "bool").tolist() == [[1]]


def test_inputs_are_left_alone(rng):
    array = rng.normal(size=(1, 9, 9)).astype(np.float32)
    before = array.copy()
    for out in (standardise(array), percentile(array), window(array, -1, 1), rescale(array, "float32")):
        assert not np.shares_memory(out, array)
    assert np.array_equal(array, before)
