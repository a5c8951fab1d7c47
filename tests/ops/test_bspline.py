"""Splines against scipy's, slopes against differences, and known maps found again."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import interpolate, ndimage

from isocenter.ops import bspline as module
from isocenter.ops.bspline import Form, Lattice, basis, bent, binned, expanded, freeform, searched
from isocenter.ops.pyramid import levels
from isocenter.ops.similarity import BINS
from isocenter.ops.warping import grid_points, sampled


def texture(shape, seed=0):
    noise = np.random.default_rng(seed).normal(size=shape)
    found = sum(ndimage.gaussian_filter(noise, s) * s ** (len(shape) / 2) for s in (2, 4, 8))
    return ((found - found.min()) / (found.max() - found.min())).astype(np.float32)


def moved(shape, size, seed=5):
    rng = np.random.default_rng(seed)
    field = np.stack([ndimage.gaussian_filter(rng.normal(size=shape), 7, mode="wrap") for _ in shape])
    field *= size / np.linalg.norm(field, axis=0).mean()
    moving = texture(shape)
    return sampled(moving, grid_points(shape) + np.moveaxis(field, 0, -1), order=3, outside=None), moving, field


def random(shape, spacing, seed=0):
    flat = Lattice.flat(shape, spacing)
    return replace(flat, weights=np.random.default_rng(seed).normal(size=flat.weights.shape))


@pytest.mark.parametrize("order", [0, 1, 2])
def test_splines_and_their_derivatives_are_scipys(order):
    spacing, count = 3.0, 9
    places = np.linspace(-0.5, spacing * (count - 3) - 0.51, 77)
    knots = spacing * (np.arange(count + 4) - 3) - 0.5
    true = np.stack([interpolate.BSpline(knots, row, 3)(places, nu=order) for row in np.eye(count)], axis=1)
    assert np.allclose(basis(places, spacing, count, order=order), true, atol=1e-9)
    assert basis(places, spacing, 1, order=order).tolist() == [[0.0 if order else 1.0]] * len(places)


def test_sums_of_splines_are_those_of_einsum():
    lattice = random((9, 8, 7), (3.0, 2.0, 4.0))
    bases = lattice.bases([np.arange(n, dtype=float) for n in lattice.shape])
    true = np.einsum("cabd,za,yb,xd->czyx", lattice.weights, *bases)
    assert np.allclose(expanded(lattice.weights, bases), true)
    assert np.allclose(lattice.displacement(lattice.shape), true, atol=1e-5)
    field = np.random.default_rng(1).normal(size=true.shape)
    back = module._gathered(field.astype(np.float32), [b.astype(np.float32) for b in bases])
    assert np.isclose((back * lattice.weights).sum(), (field * true).sum(), rtol=1e-4)


@pytest.mark.parametrize("shape", [(12, 10, 11), (1, 16, 13)])
def test_a_lattice_is_halved_without_a_change(shape):
    lattice = random(shape, (6.0, 6.0, 4.0))
    half = lattice.halved((3.0, 3.0, 2.0))
    assert half.weights.shape[-1] > lattice.weights.shape[-1]
    assert np.allclose(half.displacement(shape), lattice.displacement(shape), atol=1e-4)


def test_a_grid_of_the_same_box_sees_the_same_displacement():
    lattice = random((16, 16, 16), (8.0, 8.0, 8.0))
    fine, coarse = (lattice.displacement((n,) * 3) for n in (64, 16))
    pairs = np.asarray(fine).reshape(3, 16, 4, 16, 4, 16, 4).mean((2, 4, 6))
    assert np.allclose(pairs, coarse, atol=0.05)


def test_bending_is_the_mean_of_squared_second_derivatives_whatever_the_pixels():
    lattice = random((20, 24, 22), (8.0, 8.0, 8.0))
    at = [np.linspace(-0.5, n - 0.5, 40 * n, endpoint=False) for n in lattice.shape]
    slim = [p[::20] + 0.25 for p in at]
    second = 0.0
    for i in range(3):
        for j in range(3):
            orders = np.bincount([i, j], minlength=3)
            values = expanded(lattice.weights, lattice.bases(slim, orders))
            second += float(np.square(values).mean(axis=(1, 2, 3)).sum())
    assert np.isclose(bent(lattice, (1.0, 1.0, 1.0))[0], second, rtol=0.02)
    assert np.isclose(bent(lattice, (2.0, 2.0, 2.0))[0], second / 4, rtol=0.02)
    assert bent(replace(lattice, weights=np.ones_like(lattice.weights)), (1, 1, 1))[0] == pytest.approx(0, abs=1e-9)


def test_the_slope_of_bending_is_its_difference():
    lattice, other = random((1, 24, 22), (1.0, 8.0, 6.0)), random((1, 24, 22), (1.0, 8.0, 6.0), 1).weights
    slope = bent(lattice, (1.0, 1.0, 2.0))[1]
    up, down = (bent(replace(lattice, weights=lattice.weights + e * other), (1.0, 1.0, 2.0))[0] for e in (1e-4, -1e-4))
    assert np.isclose((up - down) / 2e-4, (slope * other).sum(), rtol=1e-6)


@pytest.mark.parametrize("measure", ["squares", "correlation", "mutual"])
@pytest.mark.parametrize("below", [0, 1])
def test_the_slope_of_the_goal_is_its_difference(measure, below):
    fixed, moving, _ = moved((20, 18, 16), 1.0)
    weight = np.ones(fixed.shape)
    weight[3:6] = 0
    level = levels(fixed[None], moving[None], weight, spacing=(2.0, 1.0, 1.0), least=4)[below]
    first = tuple(n * 2**below if one else n for n, one in zip(level.weight.shape, (0, 1, 1), strict=True))
    rng = np.random.default_rng(0)
    goal = module._Goal(level, Lattice.flat(first, (5.0, 5.0, 5.0)), Form(measure, bending=0.05))
    at, way = rng.normal(size=(2, goal.lattice.weights.size)) * 0.3
    slope = goal(at)[1] @ way
    step = 0.02
    assert np.isclose((goal(at + step * way)[0] - goal(at - step * way)[0]) / (2 * step), slope, rtol=0.03, atol=2e-4)


def test_values_become_bins_only_for_mutual_information():
    values = np.array([-0.2, 0.0, 1.2])
    assert np.allclose(binned(values, "squares"), values)
    bins = binned(values, "mutual")
    assert bins[0] == 0 and BINS - 1.01 < bins[-1] < BINS - 1


@pytest.mark.parametrize("measure", ["squares", "correlation", "mutual"])
@pytest.mark.parametrize(("shape", "spacing"), [((96, 90), (1.0, 1.0)), ((16, 40, 44), (2.5, 1.0, 1.0))])
def test_a_known_map_is_found(measure, shape, spacing):
    fixed, moving, true = moved(shape, 1.5)
    pyramid = levels((1 - fixed if measure == "mutual" else fixed)[None], moving[None], np.ones(shape), spacing=spacing)
    found = freeform(pyramid, Form(measure, bending=0.01)).displacement(pyramid[0].weight.shape)[3 - len(shape) :]
    found = found.reshape(len(shape), *found.shape[-len(shape) :])[(slice(None), *map(slice, shape))]
    inner = (slice(None), *(slice(2, -2) for _ in shape))
    assert np.linalg.norm((found - true)[inner], axis=0).mean() < 0.45


def test_more_weight_on_bending_bends_less_and_nothing_known_moves_nothing():
    fixed, moving, _ = moved((64, 64), 2.0)
    pyramid = levels(fixed[None], moving[None], np.ones((64, 64)), spacing=(1.0, 1.0))
    loose, stiff = (bent(freeform(pyramid, Form(bending=b)), (1, 1, 1))[0] for b in (0.01, 10.0))
    assert loose > 3 * stiff
    nothing = levels(fixed[None], moving[None], np.zeros((64, 64)), spacing=(1.0, 1.0))
    assert not freeform(nothing, Form()).weights.any()
    lattice = Lattice.flat(pyramid[0].weight.shape, (1.0, 8.0, 8.0))
    assert searched(lattice, pyramid[0], Form(), steps=0) is lattice


@pytest.mark.parametrize("shape", [(1, 14, 12), (7, 8, 9)])
def test_values_and_gradients_of_a_carried_image_are_scipys_and_differences(shape):
    rng = np.random.default_rng(0)
    image = rng.normal(size=shape).astype(np.float32)
    field = (2 * rng.normal(size=(3, *shape))).astype(np.float32)
    scale = np.array([0.5, 1.0, 0.5], np.float32)
    value, gradient = np.empty(shape, np.float32), np.empty((3, *shape), np.float32)
    module._sloped(image, field, scale, value, gradient)
    places = grid_points(shape) + np.moveaxis(field, 0, -1) * scale
    assert np.allclose(value, sampled(image, places, outside=None), atol=1e-4)
    step = 1e-3
    for axis in range(3):
        up, down = (places + s * step * np.eye(3)[axis] for s in (1, -1))
        # Where a whole pixel or the edge lies between, the slope has two values.
        same = (np.floor(up) == np.floor(down)).all(-1)
        same &= ((up > 0) & (down < np.array(shape) - 1)).all(-1) | (np.array(shape) == 1).any()
        high, low = (sampled(image.astype(np.float64), p, outside=None).astype(np.float64) for p in (up, down))
        assert np.allclose(((high - low) / (2 * step))[same], gradient[axis][same], atol=5e-3)


def test_beyond_the_edge_an_image_does_not_change():
    image = np.random.default_rng(0).normal(size=(1, 6, 6)).astype(np.float32)
    for away in (-9.0, 9.0):
        field = np.zeros((3, 1, 6, 6), np.float32)
        field[1:] = away
        value, gradient = np.empty((1, 6, 6), np.float32), np.empty((3, 1, 6, 6), np.float32)
        module._sloped(image, field, np.ones(3, np.float32), value, gradient)
        assert not gradient.any() and (value == image[0, 0, 0] if away < 0 else value == image[0, -1, -1]).all()


def test_squares_and_correlation_weigh_bending_alike():
    fixed, moving, _ = moved((64, 64), 1.5)
    pyramid = levels(fixed[None], moving[None], np.ones((64, 64)), spacing=(1.0, 1.0))
    squares, correlation = (bent(freeform(pyramid, Form(m)), (1, 1, 1))[0] for m in ("squares", "correlation"))
    assert 0.5 < squares / correlation < 2.0
    bright = levels(100 * fixed[None], 100 * moving[None], np.ones((64, 64)), spacing=(1.0, 1.0))
    again = freeform(bright, Form("squares"))
    plain = freeform(pyramid, Form("squares"))
    assert np.abs(again.displacement((1, 64, 64)) - plain.displacement((1, 64, 64))).mean() < 0.05
