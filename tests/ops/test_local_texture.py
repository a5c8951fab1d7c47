from __future__ import annotations

import numpy as np
import pytest

from isocenter.ops.local_texture import gabor_energy, local_entropy, local_sd, texture_maps


def windows(values: np.ndarray, size: int) -> np.ndarray:
    """The oracle's boxes: (*grid, size ** ndim)."""
    half = size // 2
    wide = np.pad(values, half, mode="edge")
    cut = np.lib.stride_tricks.sliding_window_view(wide, (size,) * values.ndim)
    return cut.reshape(*values.shape, -1)


@pytest.mark.parametrize("shape", [(14, 11), (6, 7, 8)])
def test_local_sd_is_that_of_the_box(rng: np.random.Generator, shape: tuple[int, ...]) -> None:
    values = rng.normal(1e4, 3.0, shape)
    assert np.allclose(local_sd(values, 3), windows(values, 3).std(axis=-1), rtol=1e-3, atol=1e-3)


def test_local_entropy_is_that_of_the_box(rng: np.random.Generator) -> None:
    values = rng.integers(0, 8, (15, 13)).astype(float)
    boxes = windows(values, 5).astype(int)
    share = (boxes[..., None] == np.arange(8)).mean(axis=-2)
    wanted = -np.where(share > 0, share * np.log2(np.where(share > 0, share, 1)), 0).sum(axis=-1)
    assert np.allclose(local_entropy(values, 5), wanted, atol=1e-3)


@pytest.mark.parametrize("ndim", [2, 3])
def test_gabor_energy_sees_its_wavelength_and_no_brightness(ndim: int) -> None:
    x = np.arange(48)
    grid = np.broadcast_to(x, (48,) * 2 if ndim == 2 else (12, 48, 48))
    inside = tuple(slice(s // 4, -(s // 4)) for s in grid.shape)
    right = gabor_energy(np.sin(2 * np.pi * grid / 7), 7)[inside].mean()
    long = gabor_energy(np.sin(2 * np.pi * grid / 40), 7)[inside].mean()
    short = gabor_energy(np.sin(2 * np.pi * grid / 2.5), 7)[inside].mean()
    assert right > 4 * long and right > 4 * short
    assert gabor_energy(np.full(grid.shape, 1000.0), 7).max() < 1e-2


def test_a_rough_half_stands_out_of_a_smooth_one_in_every_map(rng: np.random.Generator) -> None:
    values = np.full((60, 80), 100.0) + rng.normal(0, 0.5, (60, 80))
    values[:, 40:] += rng.normal(0, 12, (60, 40))
    maps = texture_maps(values)
    assert maps.shape == (3, 60, 80) and maps.dtype == np.float32
    assert maps.min() >= 0 and maps.max() <= 1
    assert (maps[:, :, 48:].mean(axis=(1, 2)) > maps[:, :, :32].mean(axis=(1, 2)) + 0.3).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (2, 1, 3), (9, 9)])
def test_flat_and_tiny_images_have_no_texture(shape: tuple[int, ...]) -> None:
    assert not texture_maps(np.full(shape, 1e6)).any()
    assert np.isfinite(texture_maps(np.arange(np.prod(shape), dtype=float).reshape(shape))).all()
