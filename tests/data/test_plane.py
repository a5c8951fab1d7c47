"""Maps between images' own coordinates become maps between worlds, whatever spacing and direction."""

import numpy as np
import pytest

from isocenter.data import Geometry
from isocenter.data.findings.transform import Linear, Polynomial, dimension, to_world
from isocenter.data.plane import between, coordinates, lifted, placed, worlds

GRIDS = [
    Geometry((20, 30)),
    Geometry.from_spacing((20, 30), (0.5, 2.0), origin=(5.0, -3.0)),
    Geometry((20, 30), ((0.0, 1.5, 10.0), (0.7, 0.0, 20.0), (0.1, 0.0, 30.0), (0.0, 0.0, 1.0))),
    Geometry.from_spacing((8, 9, 10), (3.0, 1.0, 2.0), origin=(-5.0, 2.0, 9.0)),
]


def full(points, w):
    return np.concatenate([points, np.zeros((len(points), w - points.shape[1]))], axis=1)


@pytest.mark.parametrize("grid", GRIDS)
def test_coordinates_are_lengths_along_the_axes_and_find_their_world(grid):
    at = np.random.default_rng(0).random((6, grid.ndim)) * 7
    own = coordinates(grid, at)
    w = dimension(grid)
    homogeneous = np.concatenate([full(own, w), np.ones((6, 1))], axis=1)
    assert np.allclose((homogeneous @ placed(grid).T)[:, :w], to_world(grid, at))
    assert np.allclose(worlds(grid, own), to_world(grid, at))
    spacing = np.array(grid.spacing or [1.0] * grid.ndim)
    assert np.allclose(np.linalg.norm(own[1] - own[0]), np.linalg.norm((at[1] - at[0]) * spacing))


@pytest.mark.parametrize("pair", [(0, 0), (1, 1), (0, 1), (2, 2), (3, 3)])
def test_a_map_moves_indices_as_it_moves_coordinates(pair):
    fixed, moving = (GRIDS[i] for i in pair)
    n = fixed.ndim
    m = np.eye(n + 1)
    m[:n] += np.random.default_rng(1).normal(size=(n, n + 1)) * 0.1
    m[n, 0] = 1e-3
    made = between(Linear(m), fixed, moving, {"inliers": 3.0})
    at = np.random.default_rng(2).random((5, n)) * 6
    homogeneous = np.concatenate([coordinates(fixed, at), np.ones((5, 1))], 1) @ m.T
    expected = homogeneous[:, :n] / homogeneous[:, n:]
    assert np.allclose(coordinates(moving, made.indices(at)), expected)
    assert made.matrix is not None
    assert dict(made.evidence) == {"inliers": 3.0}


@pytest.mark.parametrize("grid", GRIDS[:3])
def test_what_is_no_matrix_stays_what_it_is(grid):
    bent = Polynomial(np.array([[1.0, 2], [1, 0], [0, 1], [0.01, 0], [0, 0], [0, 0.01]]), 2, np.zeros(2), 1.0)
    made = between(bent, grid, grid, {})
    at = np.random.default_rng(3).random((5, 2)) * 6
    assert np.allclose(coordinates(grid, made.indices(at)), bent.points(coordinates(grid, at)))
    assert made.matrix is None
    assert np.abs(made.inverse().indices(made.indices(at)) - at).max() < 0.05


def test_a_map_of_the_plane_leaves_what_stands_on_it():
    m = lifted(np.array([[1.0, 2, 3], [4, 5, 6], [7, 8, 9]]), 3)
    assert m.tolist() == [[1, 2, 0, 3], [4, 5, 0, 6], [0, 0, 1, 0], [7, 8, 0, 9]]
    assert lifted(np.eye(4), 3).shape == (4, 4)
