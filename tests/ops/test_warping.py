"""Pixels at fractional places against arithmetic, and the determinant of maps that are known."""

import numpy as np
import pytest

from isocenter.ops.warping import determinants, grid_points, sampled


@pytest.mark.parametrize("shape", [(7, 9), (4, 5, 6)])
@pytest.mark.parametrize("order", [0, 1, 3])
def test_whole_places_give_the_pixels_themselves(shape, order):
    array = np.random.default_rng(0).integers(0, 200, shape).astype(np.uint8)
    out = sampled(array, grid_points(shape), order=order)
    assert np.allclose(out, array, atol=1e-3)
    assert out.dtype == (np.uint8 if order == 0 else np.float32)


def test_linear_is_the_mean_of_neighbours_and_channels_go_along():
    array = np.arange(24.0).reshape(2, 3, 4)
    at = np.array([[0.5, 1.5], [1.0, 0.25]])
    out = sampled(array, at)
    assert out.shape == (2, 2)
    assert np.allclose(out[0], [(1 + 2 + 5 + 6) / 4, 4.25])
    assert np.allclose(out[1], out[0] + 12)


def test_outside_begins_half_a_pixel_beyond_the_last_centre():
    array = np.full((3, 3), 5.0)
    at = np.array([[-0.4, 0.0], [-0.6, 0.0], [2.49, 2.49], [2.51, 0.0], [np.nan, 0.0]])
    assert sampled(array, at, outside=-1.0).tolist() == [5, -1, 5, -1, -1]
    assert sampled(array, at, outside=None).tolist() == [5, 5, 5, 5, 0]


def test_determinants_of_stretch_turn_and_fold():
    grid = grid_points((6, 7, 5))
    m = np.array([[0.0, -2, 0], [1, 0, 0], [0, 0, 3]])
    assert np.allclose(determinants(grid @ m.T), np.linalg.det(m))
    fold = grid_points((8, 8)).copy()
    fold[..., 0] = np.abs(fold[..., 0] - 4)
    found = determinants(fold)
    assert (found[:3] < 0).all()
    assert (found[6:] > 0).all()
    assert np.allclose(determinants(grid_points((1, 5))), 1.0)


def test_grid_points_reach_from_edge_to_edge():
    assert grid_points((3, 2)).reshape(-1, 2).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1], [2, 0], [2, 1]]
    few = grid_points((101, 4), 5)
    assert few.shape == (5, 4, 2)
    assert few[:, 0, 0].tolist() == [0, 25, 50, 75, 100]
