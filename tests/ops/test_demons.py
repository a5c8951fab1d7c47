"""Demons against a plain step in numpy, and known flows found again."""

import numpy as np
import pytest
from scipy import ndimage

from isocenter.ops import demons as module
from isocenter.ops.demons import Rules, demons, whole
from isocenter.ops.pyramid import levels
from isocenter.ops.velocity import exponential, least_determinant
from isocenter.ops.warping import grid_points, sampled


def texture(shape, seed=0):
    noise = np.random.default_rng(seed).normal(size=shape)
    return sum(ndimage.gaussian_filter(noise, s) * s ** (len(shape) / 2) for s in (2, 4, 8))


def moved(shape, size, *, seed=5, width=7.0):
    """A texture, the same seen through a known smooth map, and the map."""
    rng = np.random.default_rng(seed)
    field = np.stack([ndimage.gaussian_filter(rng.normal(size=shape), width, mode="wrap") for _ in shape])
    field *= size / np.linalg.norm(field, axis=0).mean()
    moving = texture(shape)
    return sampled(moving, grid_points(shape) + np.moveaxis(field, 0, -1), order=3, outside=None), moving, field


def plain(fixed, moving, weight, size, longest):
    """Least squares of every pixel by numpy."""
    gradients = np.stack(
        [
            [(np.gradient(f, axis=a) + np.gradient(m, axis=a)) / 2 / s if f.shape[a] > 1 else 0 * f
             for a, s in enumerate(size)]
            for f, m in zip(fixed, moving, strict=True)
        ]
    )  # (c, 3, z, y, x)
    left = fixed - moving
    damp = (left**2).sum(0) / (4 * longest**2) + 1e-9
    matrix = np.einsum("ciabd,cjabd->abdij", gradients, gradients) + damp[..., None, None] * np.eye(3)
    right = np.einsum("ciabd,cabd->abdi", gradients, left)
    step = np.linalg.solve(matrix, right[..., None])[..., 0] * weight[..., None] / size
    return np.moveaxis(step, -1, 0), float((weight * (left**2).sum(0)).sum())


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", [(5, 6, 7), (1, 8, 9)])
def test_a_step_is_least_squares(channels, shape):
    rng = np.random.default_rng(0)
    fixed, moving = rng.normal(size=(2, channels, *shape)).astype(np.float32)
    weight = rng.random(shape).astype(np.float32)
    size = np.array([2.0, 1.0, 1.5], np.float32)
    out = np.empty((3, *shape), np.float32)
    left = module._push(fixed, moving, weight, size, 1.5, out)
    true, total = plain(fixed.astype(float), moving.astype(float), weight, size, 1.5)
    assert np.isclose(left, total, rtol=1e-5)
    assert np.allclose(out, true, atol=1e-3)


def test_a_single_channels_step_is_no_longer_than_said():
    rng = np.random.default_rng(0)
    fixed, moving = rng.normal(size=(2, 1, 6, 7, 8)).astype(np.float32)
    out = np.empty((3, 6, 7, 8), np.float32)
    module._push(fixed, moving, np.ones((6, 7, 8), np.float32), np.ones(3, np.float32), 0.7, out)
    assert 0.6 < np.linalg.norm(out, axis=0).max() <= 0.7001


@pytest.mark.parametrize(
    ("shape", "spacing"), [((96, 90), (1.0, 1.0)), ((40, 36, 44), (1.0,) * 3), ((12, 48, 50), (3.0, 1.0, 1.0))]
)
def test_a_known_map_is_found_and_nothing_folds(shape, spacing):
    fixed, moving, true = moved(shape, 1.5)
    pyramid = levels(fixed[None], moving[None], np.ones(shape), spacing=spacing)
    velocity = demons(pyramid, Rules(elastic=1.0))
    assert velocity.shape == (3, *pyramid[0].below)
    found = whole(exponential(velocity), pyramid[0])[3 - len(shape) :]
    found = found.reshape(len(shape), *found.shape[-len(shape) :])[(slice(None), *map(slice, shape))]
    inner = (slice(None), *(slice(2, -2) for _ in shape))
    assert np.linalg.norm((found - true)[inner], axis=0).mean() < 0.4
    assert least_determinant(found)[0] > 0.2


def test_the_two_images_are_treated_alike():
    fixed, moving, _ = moved((64, 64), 2.0)
    there, back = (
        demons(levels(a[None], b[None], np.ones(a.shape), spacing=(1.0, 1.0)), Rules())
        for a, b in ((fixed, moving), (moving, fixed))
    )
    assert np.abs(there + back).max() < 1e-3 * np.abs(there).max()


def test_where_nothing_is_known_nothing_pushes():
    fixed, moving, _ = moved((64, 64), 2.0)
    still = demons(levels(fixed[None], moving[None], np.zeros((64, 64)), spacing=(1.0, 1.0)), Rules())
    assert not still.any()


def test_noise_and_a_part_that_is_unknown_do_little_harm():
    fixed, moving, true = moved((96, 90), 1.5)
    rng = np.random.default_rng(3)
    noisy = [v + 0.1 * v.std() * rng.normal(size=v.shape) for v in (fixed, moving)]
    noisy[0][30:45, 30:45] = 50 * fixed.std()
    weight = np.ones(fixed.shape)
    weight[30:45, 30:45] = 0
    pyramid = levels(noisy[0][None], noisy[1][None], weight, spacing=(1.0, 1.0))
    found = whole(exponential(demons(pyramid, Rules())), pyramid[0])[1:, 0, :96, :90]
    away = np.linalg.norm(found - true, axis=0)
    known = ndimage.binary_erosion(weight > 0, iterations=6)
    assert away[known].mean() < 0.5


def test_two_channels_say_more_than_one():
    fixed, moving, true = moved((64, 64), 1.5)
    lines = np.tile(np.sin(np.arange(64) / 3.0), (64, 1))
    other = sampled(lines, grid_points((64, 64)) + np.moveaxis(true, 0, -1), order=3, outside=None)
    apart = []
    for a, b in (([other], [lines]), ([other, fixed / fixed.std()], [lines, moving / fixed.std()])):
        pyramid = levels(np.array(a), np.array(b), np.ones((64, 64)), spacing=(1.0, 1.0))
        found = whole(exponential(demons(pyramid, Rules())), pyramid[0])[1:, 0]
        apart.append(np.linalg.norm(found - true, axis=0)[8:-8, 8:-8].mean())
    assert apart[1] < 0.5 * apart[0]


def test_a_displacement_of_the_grid_below_is_in_pixels_of_the_level():
    pyramid = levels(np.ones((1, 32, 64)), np.ones((1, 32, 64)), np.ones((32, 64)), spacing=(3.0, 1.0))
    assert pyramid[0].which == (False, False, True)
    below = np.ones((3, *pyramid[0].below), np.float32)
    assert whole(below, pyramid[0])[:, 0, 0, 0].tolist() == [1.0, 1.0, 2.0]
