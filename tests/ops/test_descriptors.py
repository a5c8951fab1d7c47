"""Descriptors are what the paper says, in any grid, and do not see how bright an image is."""

import numpy as np
import pytest
from scipy import ndimage

from isocenter.ops.descriptors import FLOOR, described, differences

SHAPE = (8, 10, 9)


def volume(seed=0, shape=SHAPE):
    return ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 1.2).astype(np.float32) * 10


def plain(array, steps):
    out = []
    for step in steps:
        at = np.indices(array.shape) + np.array(step[::-1]).reshape(3, 1, 1, 1)
        other = ndimage.map_coordinates(array.astype(float), at, order=1, mode="nearest")
        out.append((array - other) ** 2)
    return np.stack(out, -1)


def test_differences_are_what_plain_code_makes():
    array = volume()
    steps = np.array([[1.0, 0, 0], [-1.3, 0.4, 2.0], [0, -20.0, 0.5]])
    out = np.empty((*SHAPE, 3), np.float32)
    differences(array, steps, out)
    assert np.allclose(out, plain(array, steps), rtol=1e-3, atol=1e-3)


def test_descriptors_follow_the_formula():
    array = volume()
    found = described(array, np.eye(4), np.eye(3), False)
    steps = np.concatenate([np.eye(3), -np.eye(3)])
    d = np.stack([ndimage.gaussian_filter(c, 0.5, mode="nearest", truncate=3.0)
                  for c in np.moveaxis(plain(array, steps), -1, 0)], -1)
    v = d.mean(-1, keepdims=True)
    expected = np.exp(-d / np.maximum(v, FLOOR * v.mean()))
    assert found.shape == (*SHAPE, 6)
    assert found.dtype == np.float32
    assert np.allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("change", [lambda a: 3 * a + 100, lambda a: -a])
def test_brightness_and_contrast_do_not_matter(change):
    array = volume()
    a, b = (described(np.asarray(v, np.float32), np.eye(4), np.eye(3), False) for v in (array, change(array)))
    assert np.allclose(a, b, atol=2e-3)


def test_neighbours_lie_in_the_world():
    array = volume()
    matrix = np.diag([2.0, 1.0, 1.0, 1.0])
    narrow = described(array, matrix, np.eye(3) * 2, False)
    steps = np.concatenate([np.diag([1.0, 2, 2]), np.diag([-1.0, -2, -2])])
    raw = plain(array, steps)
    smooth = ndimage.gaussian_filter(raw, (1.0, 1.0, 0.5, 0), mode="nearest", truncate=3.0)
    v = smooth.mean(-1, keepdims=True)
    assert np.allclose(narrow, np.exp(-smooth / np.maximum(v, FLOOR * v.mean())), atol=1e-4)


def test_turned_ways_describe_a_turned_image():
    array = volume(shape=(9, 9, 9))
    turned = np.ascontiguousarray(np.rot90(array, axes=(1, 2)))
    ways = np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]])
    a = described(array, np.eye(4), np.eye(3), False)
    b = described(turned, np.eye(4), ways, False)
    assert np.allclose(np.rot90(a, axes=(1, 2)), b, atol=1e-4)


def test_flat_images_have_four_neighbours_and_unknown_stays_unknown():
    array = volume()[:1].copy()
    array[0, 2, 3] = np.nan
    found = described(array, np.eye(4), np.eye(3), True)
    assert found.shape == (1, 10, 9, 4)
    assert np.isnan(found[0, 2, 3]).all()
    assert np.isfinite(np.delete(found.reshape(90, 4), 2 * 9 + 3, 0)).all()


def test_what_is_all_alike_is_described_without_noise():
    found = described(np.ones(SHAPE, np.float32), np.eye(4), np.eye(3), False)
    assert np.array_equal(found, np.ones((*SHAPE, 6), np.float32))
