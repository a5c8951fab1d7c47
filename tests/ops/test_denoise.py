"""Smoothing, beside the plainest loops that say the same."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from isocenter.ops.denoise import (
    METHODS,
    anisotropic_diffusion,
    bilateral,
    gaussian,
    median,
    noise_sd,
    non_local_means,
)

SMOOTHING = [name for name in METHODS if name != "none"]
SHARP = ("bilateral", "nlm", "anisotropic", "median")


def step(shape: tuple[int, ...] = (48, 40), sd: float = 4.0) -> tuple[np.ndarray, np.ndarray]:
    """A step of 60 in the middle of the last axis, clean and with noise."""
    clean = np.zeros(shape)
    clean[..., shape[-1] // 2 :] = 60
    return clean, clean + np.random.default_rng(0).normal(0, sd, shape)


def rmse(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.sqrt(np.mean((a - b) ** 2)))


@pytest.mark.parametrize("shape", [(48, 40), (12, 16, 20)])
@pytest.mark.parametrize("name", SMOOTHING)
def test_noise_becomes_less_than_half_away_from_edges(name: str, shape: tuple[int, ...]) -> None:
    clean, noisy = step(shape)
    found = METHODS[name](noisy)
    assert found.shape == shape
    assert found.dtype == np.float32
    flat = (..., slice(0, shape[-1] // 2 - 4))
    assert rmse(found[flat], clean[flat]) < 0.6 * rmse(noisy[flat], clean[flat])


@pytest.mark.parametrize("name", SHARP)
def test_the_step_stays_where_a_gaussian_blurs_it(name: str) -> None:
    clean, noisy = step()
    at = (slice(None), slice(19, 21))
    assert rmse(METHODS[name](noisy)[at], clean[at]) < 0.5 * rmse(gaussian(noisy)[at], clean[at])


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2), (1, 1, 1), (1, 6, 7), (3, 3, 3)])
@pytest.mark.parametrize("name", list(METHODS))
def test_tiny_constant_and_huge_values(name: str, shape: tuple[int, ...]) -> None:
    assert np.array_equal(METHODS[name](np.full(shape, 7)), np.full(shape, 7))
    array = np.random.default_rng(0).random(shape) * 1e9
    kept = array.copy()
    found = METHODS[name](array)
    assert np.isfinite(found).all()
    assert found.min() >= np.float32(array.min()) * (1 - 1e-6)
    assert found.max() <= np.float32(array.max()) * (1 + 1e-6)
    assert np.array_equal(array, kept)


@pytest.mark.parametrize("name", list(METHODS))
def test_turning_and_sixteen_bits_change_nothing(name: str) -> None:
    array = np.random.default_rng(0).integers(0, 60000, (12, 15)).astype(np.uint16)
    plain = METHODS[name](array)
    assert np.allclose(METHODS[name](np.rot90(array)), np.rot90(plain), rtol=1e-4)
    assert np.allclose(METHODS[name](array.astype(float)), plain)


def test_noise_is_measured_beside_structure() -> None:
    clean, noisy = step((128, 128), sd=4.0)
    assert noise_sd(noisy) == pytest.approx(4.0, rel=0.05)
    assert noise_sd(clean) == 0
    assert noise_sd(np.random.default_rng(0).normal(0, 3, (30, 30, 30))) == pytest.approx(3.0, rel=0.06)
    assert noise_sd(np.array([[1.0, 5.0]])) == 0


def window(values: np.ndarray, at: tuple[int, ...], reach: int):
    spans = [range(max(0, i - reach), min(n, i + reach + 1)) for i, n in zip(at, values.shape, strict=True)]
    return itertools.product(*spans)


@pytest.mark.parametrize("shape", [(9, 8), (4, 5, 6)])
def test_bilateral_is_the_sum_of_the_paper(shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).normal(0, 10, shape)
    found = bilateral(values, spatial=1.0, tolerance=8.0)
    for at in itertools.product(*(range(0, n, 3) for n in shape)):
        near = list(window(values, at, 2))
        w = [
            np.exp(-sum((a - b) ** 2 for a, b in zip(n, at, strict=True)) / 2 - (values[n] - values[at]) ** 2 / 128)
            for n in near
        ]
        assert found[at] == pytest.approx(np.average([values[n] for n in near], weights=w), abs=1e-4)


def test_non_local_means_is_the_sum_of_the_paper() -> None:
    values = np.random.default_rng(0).normal(0, 10, (40, 40))
    found = non_local_means(values, width=10.0)
    at = (20, 20)
    patch = values[18:23, 18:23]
    total = weights = 0.0
    for y, x in window(values, at, 10):
        distance = ((values[y - 2 : y + 3, x - 2 : x + 3] - patch) ** 2).mean()
        w = np.exp(-max(distance - 200, 0) / 36)
        total, weights = total + w * values[y, x], weights + w
    assert found[at] == pytest.approx(total / weights, rel=1e-4)


def test_repeated_structure_survives_non_local_means() -> None:
    clean = 50.0 * (np.indices((48, 48)).sum(0) // 3 % 2)
    noisy = clean + np.random.default_rng(0).normal(0, 5, clean.shape)
    assert rmse(non_local_means(noisy, width=5.0), clean) < 0.6 * rmse(noisy, clean)
    assert rmse(gaussian(noisy), clean) > rmse(noisy, clean)


def test_diffusion_is_the_scheme_of_the_paper() -> None:
    values = np.random.default_rng(0).normal(0, 10, (7, 6)).astype(np.float32)
    wanted = values.copy()
    for y, x in np.ndindex(values.shape):
        for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            if 0 <= y + dy < 7 and 0 <= x + dx < 6:
                slope = values[y + dy, x + dx] - values[y, x]
                wanted[y, x] += 0.25 * slope * np.exp(-((slope / 9.0) ** 2))
    assert np.allclose(anisotropic_diffusion(values, steps=1, contrast=9.0), wanted, atol=1e-4)


def test_diffusion_keeps_the_sum_and_its_settings_can_stop_it() -> None:
    _, noisy = step()
    assert anisotropic_diffusion(noisy, steps=25).mean() == pytest.approx(noisy.mean(), rel=1e-4)
    assert np.array_equal(anisotropic_diffusion(noisy, contrast=0.0), noisy.astype(np.float32))
    assert np.array_equal(bilateral(noisy, tolerance=0.0), noisy.astype(np.float32))
    assert np.array_equal(non_local_means(noisy, width=0.0), noisy.astype(np.float32))


def test_one_hot_pixel_is_gone_after_the_median() -> None:
    array = np.zeros((9, 9))
    array[4, 4] = 100
    assert median(array).max() == 0
