"""Coarser grids cover the same box; centres lie in the world."""

import numpy as np
import pytest

from isocenter.ops.sides import Side


def grid(spacing, origin=(0.0, 0, 0)):
    matrix = np.diag([*spacing, 1.0])
    matrix[:3, 3] = origin
    return matrix


def test_world_and_index_undo_each_other():
    side = Side(np.zeros((2, 3, 4), np.float32), grid((1.0, 2, 3), (4, 5, 6)), False)
    assert np.allclose(side.to_index @ side.matrix, np.eye(4))
    assert side.spacing.tolist() == [1, 2, 3]
    assert side.size.tolist() == [4, 6, 6]


def test_a_coarser_grid_covers_the_same_box_and_knows_what_it_does_not_know():
    volume = np.arange(4 * 6 * 8, dtype=np.float32).reshape(4, 6, 8)
    volume[:2, :2, :2] = np.nan
    side = Side(volume, grid((1.0, 1.0, 2.0), (5, 6, 7)), False)
    coarse = side.on(2.0)
    assert coarse.volume.shape == (4, 3, 4)
    assert np.allclose(coarse.spacing, 2)
    assert np.allclose(coarse.size, side.size)
    assert coarse.matrix[:3, 3].tolist() == [5.5, 6.5, 7]
    assert np.isnan(coarse.volume[0, 0, 0])
    assert coarse.volume[3, 2, 1] == pytest.approx(volume[3, 4:, 2:4].mean(), abs=1)
    assert side.on(0.5) is side


def test_centres_of_the_box_and_of_mass():
    volume = np.zeros((1, 5, 9), np.float32)
    volume[0, 1, 7] = 3
    box, mass = Side(volume, grid((2.0, 3.0, 1.0), (1, 1, 0)), True).centres()
    assert box.tolist() == [9, 7, 0]
    assert mass.tolist() == [15, 4, 0]
    alike = Side(np.ones((1, 5, 9), np.float32), grid((2.0, 3.0, 1.0)), True).centres()
    assert np.array_equal(*alike)
