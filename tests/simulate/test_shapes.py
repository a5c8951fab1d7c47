"""Ellipses and ellipsoids."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.simulate.shapes import coordinates, ellipsoid


def test_coordinates_are_pixel_centres_from_edge_to_edge() -> None:
    grid = coordinates((4, 2), np.random.default_rng(0))
    assert grid.shape == (2, 4, 2)
    assert grid[0, :, 0].tolist() == [-0.75, -0.25, 0.25, 0.75]
    assert grid[1, 0].tolist() == [-0.5, 0.5]


def test_an_ellipse_has_its_area() -> None:
    grid = coordinates((200, 300), np.random.default_rng(0))
    found = ellipsoid(grid, (0.1, -0.2), (0.5, 0.3), turn=0.4)
    assert found.mean() * 4 == pytest.approx(np.pi * 0.5 * 0.3, rel=0.01)
    assert np.argwhere(found).mean(axis=0) == pytest.approx([110, 120], abs=1)


def test_an_ellipsoid_has_its_volume() -> None:
    grid = coordinates((60, 60, 60), np.random.default_rng(0))
    assert ellipsoid(grid, (0, 0, 0), (0.5, 0.6, 0.7)).mean() * 8 == pytest.approx(4 / 3 * np.pi * 0.21, rel=0.01)


def test_turning_moves_the_long_axis() -> None:
    grid = coordinates((100, 100), np.random.default_rng(0))
    upright = ellipsoid(grid, (0, 0), (0.8, 0.2))
    lying = ellipsoid(grid, (0, 0), (0.8, 0.2), turn=np.pi / 2)
    assert np.array_equal(lying, upright.T)


def test_bending_is_smooth_and_as_large_as_said() -> None:
    straight = coordinates((80, 80), np.random.default_rng(0))
    bent = coordinates((80, 80), np.random.default_rng(0), bend=0.05) - straight
    assert bent.std() == pytest.approx(0.05, rel=0.01)
    assert np.abs(np.diff(bent[0], axis=1)).max() < 0.05
