"""Deformation gradients and strains of known deformations."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.ops.strain import carried, gradient, gradients, green_lagrange, line_strain, principal

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("axes", [2, 3])
def test_an_affine_map_is_found_whatever_its_shift(axes: int) -> None:
    wanted = np.eye(axes) + 0.2 * RNG.normal(size=(axes, axes))
    before = RNG.normal(size=(20, axes)) * 9
    found = gradient(before, before @ wanted.T + 5)
    assert np.allclose(found, wanted)
    noisy = gradient(before, before @ wanted.T + 0.01 * RNG.normal(size=before.shape))
    assert np.abs(noisy - wanted).max() < 0.01


def test_points_on_a_line_say_nothing() -> None:
    line = np.stack([np.arange(6.0), 2 * np.arange(6.0)], axis=1)
    assert gradient(line, line) is None and gradient(line[:2], line[:2]) is None
    assert np.isnan(gradients(line, line, 3.0)).all()
    assert gradients(np.zeros((0, 2)), np.zeros((0, 2)), 1.0).shape == (0, 2, 2)
    assert np.isnan(carried(line, line, line[:1] + 1)).all() and np.isnan(carried(line[:0], line[:0], line[:1])).all()


def test_the_gradient_about_each_point() -> None:
    before = np.argwhere(np.ones((8, 9))).astype(float) * 4
    after = before.copy()
    after[:, 1] += 0.01 * before[:, 1] ** 2
    found = gradients(before, after, 4.5)
    inner = (before[:, 1] > 0) & (before[:, 1] < 32)
    assert np.allclose(found[inner, 1, 1], 1 + 0.02 * before[inner, 1]) and np.allclose(found[:, 0, 0], 1)
    lonely = np.concatenate([before, [[500.0, 500.0]]])
    assert np.isnan(gradients(lonely, lonely, 4.5)[-1]).all()


def test_a_rigid_motion_strains_nothing() -> None:
    turn = np.deg2rad(30)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    assert np.allclose(green_lagrange(matrix), 0)
    assert np.allclose(green_lagrange(matrix @ np.diag([1.1, 0.9])), np.diag([0.105, -0.095]))
    assert np.allclose(principal(green_lagrange(matrix @ np.diag([0.9, 1.1]))), [0.105, -0.095])
    assert np.allclose(principal(green_lagrange(np.stack([matrix, matrix]))), np.zeros((2, 2)))


def test_along_a_line() -> None:
    line = np.array([[0.0, 0], [3, 4], [3, 10]])
    assert line_strain(line, 1.2 * line + 7) == pytest.approx(0.2)
    bent = np.array([[0.0, 0], [3, 4], [3, 4]])
    assert line_strain(line, bent) == pytest.approx(5 / 11 - 1)
    assert np.isnan(line_strain(line[:1], line[:1]))


def test_other_points_go_with_their_neighbours() -> None:
    before = np.argwhere(np.ones((6, 6))).astype(float)
    matrix = np.array([[1.1, 0.05], [0.0, 0.9]])
    points = np.array([[2.3, 2.9], [5.5, 0.1]])
    assert np.allclose(carried(before, before @ matrix.T + 3, points), points @ matrix.T + 3)
