"""Flows against small steps of a plain integrator, compositions against scipy, folds against numpy's determinants."""

import numpy as np
import pytest
from scipy import ndimage

from isocenter.ops.velocity import MOST, carry, composed, exponential, least_determinant, spatial, spread
from isocenter.ops.warping import determinants, grid_points, sampled

SHAPES = [(24, 30), (14, 16, 18)]


def smooth(shape, size, *, seed=0, width=3.0):
    rng = np.random.default_rng(seed)
    field = np.stack([ndimage.gaussian_filter(rng.normal(size=shape), width) for _ in shape])
    return (field * size / np.abs(field).max()).astype(np.float32)


def plain(first, then):
    """x + a(x) + b(x + a(x)), beyond the edge as at the edge."""
    at = grid_points(first.shape[1:]) + np.moveaxis(first, 0, -1)
    return first + sampled(then, at, outside=None)


def walked(velocity, steps=512):
    """Euler's steps, many and short."""
    at = grid_points(velocity.shape[1:])
    for _ in range(steps):
        at = at + np.moveaxis(sampled(velocity, at, outside=None), 0, -1) / steps
    return np.moveaxis(at - grid_points(velocity.shape[1:]), -1, 0)


@pytest.mark.parametrize("shape", SHAPES)
def test_one_after_the_other_is_what_scipy_says(shape):
    a, b = smooth(shape, 4.0), smooth(shape, 3.0, seed=1)
    found = composed(a, b)
    assert found.dtype == np.float32
    assert np.allclose(found, plain(a, b), atol=1e-4)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_flow_is_that_of_many_short_steps(shape):
    velocity = smooth(shape, 2.5)
    apart = np.linalg.norm(exponential(velocity) - walked(velocity), axis=0)
    assert apart.mean() < 0.03 and apart.max() < 0.2


def test_shorter_steps_come_nearer():
    velocity = smooth((30, 30), 3.0, width=4.0)
    true = walked(velocity)
    apart = [np.abs(exponential(velocity, step=s) - true).mean() for s in (2.0, 0.5, 0.05)]
    assert apart[0] > apart[1] > apart[2]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_opposite_velocity_undoes_it_and_nothing_folds(shape):
    velocity = smooth(shape, 2.5)
    there = exponential(velocity)
    left = composed(there, exponential(-velocity))
    assert np.abs(there).mean() > 10 * np.abs(left).mean()
    assert least_determinant(there)[0] > 0


def test_rest_stays_and_a_wild_velocity_ends():
    assert not exponential(np.zeros((2, 5, 6))).any()
    wild = exponential(np.full((2, 5, 6), 2.0 ** (MOST + 3)))
    assert np.allclose(wild, 2.0 ** (MOST + 3))


@pytest.mark.parametrize("shape", [*SHAPES, (1, 9), (9, 1)])
def test_determinants_are_numpys(shape):
    field = 3.0 * np.random.default_rng(0).normal(size=(len(shape), *shape)).astype(np.float32)
    true = determinants(grid_points(shape) + np.moveaxis(field, 0, -1))
    least, share = least_determinant(field)
    assert np.isclose(least, true.min(), rtol=1e-4)
    assert share == (true <= 0).mean() > 0


@pytest.mark.parametrize(("shape", "fine"), [((9, 12), (20, 31)), ((7, 5, 6), (41, 11, 6))])
def test_a_field_is_spread_linearly_between_centres(shape, fine):
    field = 1.5 * np.random.default_rng(0).normal(size=(len(shape), *shape)).astype(np.float32)
    spread_out = spread(field, fine)
    for axis, (old, new) in enumerate(zip(shape, fine, strict=True)):
        at = (grid_points(fine) + 0.5) * np.array(shape) / np.array(fine) - 0.5
        assert np.allclose(spread_out[axis], sampled(field[axis], at, outside=None) * new / old, atol=1e-4)


def test_a_field_that_is_no_number_counts_as_folded():
    field = np.zeros((2, 6, 6))
    field[0, 3, 3] = np.nan
    assert least_determinant(field)[1] > 0


def test_a_plane_becomes_a_slice():
    field = np.arange(24.0).reshape(2, 3, 4)
    out = spatial(field)
    assert out.shape == (3, 1, 3, 4) and not out[0].any() and np.array_equal(out[1:, 0], field)


@pytest.mark.parametrize("shape", [(1, 20, 24), (9, 12, 10), (1, 1, 7)])
def test_images_are_carried_as_scipy_says(shape):
    rng = np.random.default_rng(0)
    images = rng.normal(size=(2, *shape)).astype(np.float32)
    field = (3 * rng.normal(size=(3, *shape))).astype(np.float32)
    out = np.empty_like(images)
    carry(images, field, out)
    at = grid_points(shape) + np.moveaxis(field, 0, -1)
    assert np.allclose(out, sampled(images, at, outside=None), atol=1e-4)


def test_a_composition_is_carried_like_one_map_after_the_other():
    shape = (1, 40, 44)
    at = grid_points(shape)
    ramp = np.stack([at[..., 1], at[..., 2]]).astype(np.float32)
    a, b = (smooth(shape[1:], 3.0, seed=s, width=6.0) for s in (0, 1))
    once, then, both = (np.empty_like(ramp) for _ in range(3))
    carry(ramp, spatial(b), once)
    carry(once, spatial(a), then)
    carry(ramp, spatial(composed(a, b)), both)
    inner = (slice(None), 0, slice(8, -8), slice(8, -8))
    assert np.allclose(then[inner], both[inner], atol=0.02)


@pytest.mark.parametrize("shape", SHAPES)
def test_half_the_time_twice_is_the_whole(shape):
    velocity = smooth(shape, 2.0)
    half = exponential(0.5 * velocity)
    assert np.abs(composed(half, half) - exponential(velocity)).max() < 0.1


def test_a_field_is_spread_to_its_own_grid_unchanged():
    field = smooth((12, 14), 2.0)
    assert np.allclose(spread(field, (12, 14)), field, atol=1e-6)
    assert spread(field, (24, 14)).shape == (2, 24, 14)
