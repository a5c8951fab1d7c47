"""Maps made exact from pixels, in the plane and in space, whatever exposure and spacing."""

import numpy as np
import pytest
from scipy import ndimage

from isocenter.ops.adjustment import changed, generators
from isocenter.ops.polishing import polished
from isocenter.ops.transforms import apply_matrix
from isocenter.ops.warping import grid_points, sampled


def scene(shape, seed=0, sigma=3.0):
    made = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), sigma)
    return made / made.std()


def seen(whole, matrix, shape, spacing):
    """The tile at whose coordinates `matrix` gives those of the whole."""
    at = grid_points(shape)
    there = apply_matrix(matrix, (at.reshape(-1, len(shape)) * spacing)[:, ::-1])[:, ::-1]
    return sampled(whole, there.reshape(*shape, len(shape)), order=3, outside=None)


def away(found, true, size):
    points = np.random.default_rng(9).random((50, len(true) - 1)) * size
    return np.linalg.norm(apply_matrix(found, points) - apply_matrix(true, points), axis=1).max()


@pytest.mark.parametrize("kind", ["translation", "rigid", "affine"])
def test_a_guess_becomes_exact_under_another_exposure(kind):
    whole = scene((160, 160))
    basis = generators(kind, 2)
    rng = np.random.default_rng(1)
    small = rng.normal(size=len(basis)) * np.where(np.arange(len(basis)) < 2, 1.5, 0.01)
    true = changed(small, basis)
    place = np.array([[1.0, 0, 30], [0, 1, 20], [0, 0, 1]])
    first = seen(whole, place, (100, 100), (1, 1))
    second = seen(whole, place @ np.linalg.inv(true), (100, 100), (1, 1)) * 2.5 - 3 + rng.normal(size=(100, 100)) * 0.1
    spacing = (np.ones(2), np.ones(2))
    found = polished(first, second, np.eye(3), kind=kind, spacing=spacing, sigma=2.0)
    assert away(found.matrix, true, 100) < 0.1
    assert found.likeness > 0.98 and found.share > 0.9


def test_volumes_of_unequal_spacing_and_a_thin_overlap():
    whole = scene((60, 50, 50))
    spacings = (np.array([2.0, 1.0, 1.0]), np.array([1.0, 1.0, 1.25]))
    place = np.eye(4)
    place[:3, 3] = [3, 2, 22]
    first = seen(whole, np.eye(4), (20, 45, 45), spacings[0])
    second = seen(whole, place, (36, 40, 30), spacings[1])
    guess = np.linalg.inv(place)
    guess[:3, 3] += [1.2, -1.0, 1.5]
    found = polished(first, second, guess, kind="translation", spacing=spacings, sigma=1.5)
    assert np.allclose(found.matrix, np.linalg.inv(place), atol=0.1)
    assert 0.2 < found.share < 0.6


def test_nothing_in_common_is_told():
    apart = np.array([[1.0, 0, 500], [0, 1, 0], [0, 0, 1]])
    spacing = (np.ones(2), np.ones(2))
    assert polished(scene((40, 40)), scene((40, 40), 1), apart, kind="rigid", spacing=spacing) is None
    assert polished(np.ones((40, 40)), np.ones((40, 40)), np.eye(3), kind="rigid", spacing=spacing) is None
