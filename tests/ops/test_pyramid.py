"""Halves, doubles, and which axes go first."""

from itertools import pairwise

import numpy as np
import pytest

from isocenter.ops.pyramid import Level, doubled, halved, levels, steps_down
from isocenter.ops.warping import grid_points, sampled


@pytest.mark.parametrize("which", [(True, True, True), (False, True, True), (False, False, True), (True, False, False)])
def test_halves_are_means_of_pairs(which):
    values = np.random.default_rng(0).normal(size=(2, 4, 6, 8)).astype(np.float32)
    true = values
    for axis, one in enumerate(which, start=1):
        if one:
            pairs = np.moveaxis(true, axis, -1).reshape(*np.delete(true.shape, axis), -1, 2)
            true = np.moveaxis(pairs.mean(-1), -1, axis)
    found = halved(values, which)
    assert found.shape == true.shape and np.allclose(found, true, atol=1e-6)


@pytest.mark.parametrize("which", [(True, True, True), (False, True, True), (False, False, True), (False,) * 3])
def test_doubles_are_linear_between_centres(which):
    values = np.random.default_rng(0).normal(size=(2, 3, 5, 4)).astype(np.float32)
    found = doubled(values, which)
    factor = np.where(which, 2, 1)
    at = (grid_points(found.shape[1:]) + 0.5) / factor - 0.5
    assert np.allclose(found, sampled(values, at, outside=None), atol=1e-5)
    assert np.allclose(halved(doubled(np.ones((1, 3, 5, 4)), which), which), 1.0)


def test_pixels_become_as_long_as_wide_before_all_axes_are_halved():
    down = steps_down((20, 256, 256), (6.0, 1.0, 1.0), least=8, most=5)
    flat, whole = (False, True, True), (True, True, True)
    assert down == [flat, flat, whole, flat, flat]
    assert steps_down((1, 64, 64), (1.0, 1.0, 1.0), least=8, most=9) == [(False, True, True)] * 3
    assert steps_down((5, 5), (1, 1), least=8, most=3) == []


@pytest.mark.parametrize("shape", [(40, 53), (12, 33, 21), (3, 3)])
def test_a_pyramid_pads_at_the_end_and_halves_what_it_holds(shape):
    rng = np.random.default_rng(0)
    fixed, moving = rng.normal(size=(2, 1, *shape))
    found = levels(fixed, moving, np.ones(shape), spacing=(1.0,) * len(shape))
    first = found[0]
    inner = tuple(slice(s) for s in shape)
    assert np.allclose(first.fixed.reshape(first.fixed.shape[-len(shape):])[inner], fixed[0])
    assert first.weight.sum() == np.prod(shape)
    for upper, lower in pairwise(found):
        assert upper.below == lower.weight.shape
        assert np.allclose(halved(upper.moving, upper.which), lower.moving)
        assert np.isclose(upper.weight.mean(), lower.weight.mean())
        assert lower.finest == 2 * upper.finest


def test_a_level_knows_its_finest_axis_that_has_pixels():
    ones = np.ones((1, 1, 4, 4), np.float32)
    level = Level(ones, ones, ones[0], (0.1, 3.0, 2.0), (False, True, True))
    assert level.finest == 2.0 and level.below == (1, 2, 2)
