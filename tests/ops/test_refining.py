"""Optimisation of one pair: its gradient against small changes, its pieces against plain loops, its gain on a bump."""

from itertools import product

import numpy as np
import pytest
from scipy import ndimage

from isocenter.ops.refining import (
    Aim,
    Side,
    averaged,
    energy,
    integrated,
    likeness,
    refined,
    roughness,
    window_counts,
)
from isocenter.ops.warping import determinants, grid_points

GRIDS = [((20, 24), (10, 12)), ((8, 18, 16), (8, 9, 8))]


def texture(shape, seed=0):
    values = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 2)
    return (values / values.std()).astype(np.float32)


def speed(coarse, seed=1, length=3.0):
    rng = np.random.default_rng(seed)
    parts = [ndimage.gaussian_filter(rng.normal(size=coarse), 2) for _ in coarse]
    return (length * np.stack(parts) / np.abs(parts).max()).astype(np.float32)


def plain_means(image, window):
    out, half = np.empty(image.shape), window // 2
    for at in product(*map(range, image.shape)):
        out[at] = image[tuple(slice(max(0, i - half), i + half + 1) for i in at)].mean()
    return out


@pytest.mark.parametrize(("shape", "window"), [((7, 9), 3), ((5, 6, 4), 5), ((4, 4), 9)])
def test_means_stop_at_the_edge(shape, window):
    image = np.random.default_rng(0).normal(size=shape)
    assert np.allclose(averaged(image, window), plain_means(image, window))
    assert window_counts(shape, window).max() <= window ** len(shape)
    assert window_counts((3, 3), 3).tolist() == [[4, 6, 4], [6, 9, 6], [4, 6, 4]]


@pytest.mark.parametrize("similarity", ["ncc", "mse"])
def test_the_gradient_of_likeness_is_that_of_small_changes(similarity):
    a, b = texture((12, 14)).astype(float), texture((12, 14), 1).astype(float)
    along = np.random.default_rng(2).normal(size=a.shape)
    side = Side.of(a, Aim(similarity, 5))
    slope = side.unlike(b)[1]
    apart = [side.unlike(b + s * 1e-5 * along)[0] for s in (1, -1)]
    assert (slope * along).sum() == pytest.approx((apart[0] - apart[1]) / 2e-5, rel=1e-4)


def test_likeness_knows_no_gain_and_no_sign():
    a = texture((16, 16))
    assert likeness(a, a, 5) > 0.9
    assert likeness(-0.7 * a + 3, a, 5) > 0.85
    assert likeness(texture((16, 16), 5), a, 5) < 0.5
    assert likeness(np.zeros_like(a), a, 5) == 0.0


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("similarity", ["ncc", "mse"])
def test_the_gradient_runs_through_the_integration(grid, similarity):
    shape, coarse = grid
    fixed, moving, v = texture(shape), texture(shape, 3), speed(coarse)
    aim, along = Aim(similarity, 5, 0.5), speed(coarse, 4, 1.0)
    _, slope = energy(v, fixed, moving, aim)
    step = 3e-3
    apart = [energy(v + s * step * along, fixed, moving, aim)[0] for s in (1, -1)]
    assert slope.shape == v.shape
    assert (slope * along).sum() == pytest.approx((apart[0] - apart[1]) / (2 * step), rel=0.05)


def test_roughness_is_the_mean_of_squared_differences():
    v = np.random.default_rng(0).normal(size=(2, 4, 5))
    wanted = 0.5 * ((v[:, 1:] - v[:, :-1]) ** 2).mean() + 0.5 * ((v[:, :, 1:] - v[:, :, :-1]) ** 2).mean()
    value, slope = roughness(v)
    assert value == pytest.approx(wanted)
    assert value == pytest.approx(0.5 * (slope * v).sum()), "a quadratic"
    flat, none = roughness(np.ones((3, 1, 4, 4)))
    assert flat == 0 and not none.any()


@pytest.mark.parametrize("grid", GRIDS)
def test_integration_does_not_fold_and_its_negative_undoes_it(grid):
    shape, coarse = grid
    v = speed(coarse, length=5.0)
    there, back = integrated(v, shape), integrated(-v, shape)
    places = grid_points(shape) + np.moveaxis(there, 0, -1)
    assert there.shape == (len(shape), *shape)
    assert np.abs(there).max() > 2 and (determinants(places) > 0).all()
    met = np.stack([ndimage.map_coordinates(c, np.moveaxis(places, -1, 0), order=1, mode="nearest") for c in back])
    inside = ((places >= 2) & (places <= np.array(shape) - 3)).all(-1)
    assert np.abs(there + met)[:, inside].mean() < 0.2


@pytest.mark.parametrize("grid", GRIDS)
def test_a_pair_comes_nearer_by_its_own_optimisation(grid):
    shape, coarse = grid
    moving, true = texture(shape), speed(coarse, 7, 2.0)
    at = np.indices(shape) + integrated(true, shape)
    fixed = 2 * ndimage.map_coordinates(moving, at, order=1, mode="nearest")
    aim, none = Aim("ncc", 5, 0.1), np.zeros_like(true)
    found = refined(none, fixed, moving, aim, steps=40)
    assert found.dtype == np.float32 and found.shape == true.shape
    assert energy(found, fixed, moving, aim)[0] < 0.5 * energy(none, fixed, moving, aim)[0]
    errors = [np.abs(integrated(v, shape) - integrated(true, shape)).mean() for v in (found, none)]
    assert errors[0] < 0.6 * errors[1]
    assert np.array_equal(found, refined(none, fixed, moving, aim, steps=40))
    assert refined(true, fixed, moving, aim, steps=0) is true
