from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, zoom
from skimage import data as pictures

from isocenter.ops.appearance import FLAT, GRID, _directions, appearance, spread


def picture(seed: int = 0) -> np.ndarray:
    return gaussian_filter(np.random.default_rng(seed).normal(size=(160, 120)), 9).astype(np.float32)


def away(a: np.ndarray, b: np.ndarray) -> float:
    one, other = appearance(a), appearance(b)
    assert one is not None and other is not None
    return float(np.abs(one - other).max())


def test_gain_offset_and_equal_channels_do_not_count() -> None:
    base = picture()
    assert away(base[None], 300 * base[None] + 40) < 1e-3
    assert away(base[None], np.stack([base] * 3)) == 0


def test_the_number_of_pixels_counts_little_and_turning_much() -> None:
    base = picture()
    large = zoom(base, 2, order=1, grid_mode=True, mode="nearest")
    assert away(base[None], large[None]) < 0.3
    for other in (np.rot90(base, 2), np.flipud(base), -base):
        assert away(base[None], other[None].copy()) > 1


def test_lengths_and_finite_numbers() -> None:
    flat = appearance(pictures.camera()[None])
    volume = appearance(np.random.default_rng(0).normal(size=(1, 7, 30, 20)))
    assert flat is not None and flat.shape == (158,) and flat.dtype == np.float64 and np.isfinite(flat).all()
    assert volume is not None and volume.shape == (237,) and np.isfinite(volume).all()


def test_one_pixel_and_thin_pictures_have_a_look_or_none() -> None:
    assert appearance(np.zeros((1, 1, 1), np.uint8)) is None
    thin = appearance(np.arange(40, dtype=np.uint8).reshape(1, 1, 40))
    assert thin is not None and np.isfinite(thin).all()


@pytest.mark.parametrize("shape", [(1, 20, 20), (3, 20, 20), (1, 5, 20, 20)])
def test_blank_pictures_have_no_look(shape: tuple[int, ...]) -> None:
    assert appearance(np.full(shape, 7, np.uint8)) is None and spread(np.full(shape, 7, np.uint8)) is None


def test_colour_counts() -> None:
    colour = np.moveaxis(pictures.astronaut(), -1, 0)
    grey = np.stack([colour.mean(0)] * 3)
    one, other = appearance(colour), appearance(grey)
    assert one is not None and other is not None
    assert np.abs(one[-6:]).max() > 0.05 and not other[-6:].any()


def test_a_ramp_has_its_gradient_in_one_direction() -> None:
    right = np.tile(np.linspace(0, 1, GRID), (GRID, 1))
    found = _directions(right, FLAT[1]).reshape(-1, 8)
    assert np.allclose(found[:, 0] ** 2, 1 / 9) and np.allclose(found[:, 1:], 0)
    up = _directions(right.T[::-1], FLAT[1]).reshape(-1, 8)
    assert np.allclose(up[:, 6] ** 2, 1 / 9) and np.allclose(np.delete(up, 6, axis=1), 0)


def test_spread_is_the_percentiles() -> None:
    values = np.random.default_rng(0).normal(size=(1, 100, 90))
    assert spread(values) == pytest.approx(np.percentile(values, (0.5, 99.5)))
