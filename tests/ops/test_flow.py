"""Optical flow against motion that is known, its kernel against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from isocenter.errors import InputError
from isocenter.ops.flow import composed, flow, inside, likeness, returning, warped
from isocenter.ops.warping import grid_points, sampled
from isocenter.simulate.noise import smooth


def pattern(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 100 + 20 * smooth(shape, rng, grain=1.5) + 20 * smooth(shape, rng, grain=6.0)


def pulled(image: np.ndarray, way) -> np.ndarray:
    """The image whose pixel x shows what lay at way(x)."""
    return sampled(image, way(grid_points(image.shape)), order=3, outside=None)


def errors(field: np.ndarray, truth: np.ndarray, rim: int) -> np.ndarray:
    core = (slice(None), *(slice(rim, -rim),) * (field.ndim - 1))
    return np.sqrt(((field - truth)[core] ** 2).sum(axis=0))


@pytest.mark.parametrize("shape", [(7, 9), (1, 5), (6, 1)])
def test_warping_is_that_of_scipy(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    image, field = rng.normal(size=shape), rng.normal(size=(2, *shape)).astype(np.float32) * 2
    limit = np.array(shape).reshape(2, 1, 1) - 1
    at = np.clip(np.indices(shape) + field, 0, limit)
    assert np.abs(warped(image, field) - ndimage.map_coordinates(image, at, order=3, mode="mirror")).max() < 1e-4
    assert np.allclose(warped(image, 0 * field), image, atol=1e-5)


@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.4, -0.3), (3.6, -5.2)])
def test_a_shift(shift: tuple[float, float]) -> None:
    image = pattern((72, 84))
    second = pulled(image, lambda g: g - shift)
    found = errors(flow(image, second), np.asarray(shift).reshape(2, 1, 1), 12)
    assert np.median(found) < 0.05 and np.quantile(found, 0.95) < 0.15


def test_a_stretch_and_a_turn() -> None:
    image = pattern((96, 96))
    matrix = np.array([[1.04, -0.05], [0.05, 0.97]])
    middle = np.array([47.5, 47.5])
    second = pulled(image, lambda g: (g - middle) @ np.linalg.inv(matrix).T + middle)
    truth = np.moveaxis((grid_points((96, 96)) - middle) @ (matrix - np.eye(2)).T, -1, 0)
    found = errors(flow(image, second), truth, 12)
    assert np.median(found) < 0.08 and np.quantile(found, 0.95) < 0.25


def test_gain_and_offset_do_not_matter() -> None:
    image = pattern((72, 72))
    second = pulled(image, lambda g: g - (1.5, -2.0))
    shade = np.linspace(0.6, 1.6, 72)[:, None]
    found = errors(flow(image, second * shade + 30), np.array([1.5, -2.0]).reshape(2, 1, 1), 12)
    assert np.median(found) < 0.05


def test_a_start_is_gone_on_from() -> None:
    image = pattern((64, 64))
    second = pulled(image, lambda g: g - (9.0, 0.0))
    start = np.zeros((2, 64, 64))
    start[0] = 8.6
    found = errors(flow(image, second, start=start), np.array([9.0, 0.0]).reshape(2, 1, 1), 12)
    assert np.median(found) < 0.02


def test_volumes() -> None:
    image = pattern((26, 30, 34))
    second = pulled(image, lambda g: g - (0.7, -1.2, 0.4))
    found = errors(flow(image, second, window=3.0), np.array([0.7, -1.2, 0.4]).reshape(3, 1, 1, 1), 7)
    assert np.median(found) < 0.05


def test_an_even_image_does_not_move_by_itself() -> None:
    even, image = np.full((40, 40), 7.0), pattern((40, 40))
    assert not flow(even, even).any()
    assert np.isfinite(flow(even, image)).all() and np.isfinite(flow(image, even)).all()
    assert not flow(np.zeros((1, 1)), np.ones((1, 1))).any()
    with pytest.raises(InputError, match="differ in size"):
        flow(even, even[:30])


def test_likeness_is_the_correlation_in_a_window() -> None:
    a, b = pattern((40, 40), 1), pattern((40, 40), 2)
    assert likeness(a, a).min() > 0.999 and likeness(a, -3 * a + 5).max() < -0.99
    near = likeness(a, b, window=3.0)
    weights = np.zeros((40, 40))
    weights[20, 20] = 1
    weights = ndimage.gaussian_filter(weights, 3.0, truncate=3.0)
    x, y = (v - (weights * v).sum() for v in (a, b))
    wanted = (weights * x * y).sum() / np.sqrt((weights * x * x).sum() * (weights * y * y).sum())
    assert abs(near[20, 20] - wanted) < 1e-3
    assert not likeness(a, np.full((40, 40), 3.0)).any()
    half = a.copy()
    half[:, :20] = 100
    assert not likeness(a, half, window=2.0)[:, :12].any() and likeness(a, half, window=2.0)[:, 28:].min() > 0.99


def test_fields_one_after_the_other_and_back() -> None:
    shift, back = (np.broadcast_to(np.array(v, np.float32).reshape(2, 1, 1), (2, 12, 14)) for v in ((2, 1), (-2, -0.5)))
    assert np.allclose(composed(shift, shift), [[[4]], [[2]]], atol=1e-5)
    assert np.allclose(returning(shift, back), 0.5, atol=1e-5)
    ramp = np.zeros((2, 12, 14), np.float32)
    ramp[1] = np.arange(14) * 0.1
    assert abs(composed(shift, ramp)[1, 5, 6] - (1 + 0.7)) < 0.02


def test_what_lies_among_the_pixels() -> None:
    field = np.zeros((2, 3, 4))
    field[0, 0], field[1, :, 3] = -0.1, 1.0
    assert inside(field).tolist() == [[False] * 4, [True, True, True, False], [True, True, True, False]]
