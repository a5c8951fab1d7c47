from __future__ import annotations

import numpy as np
import pytest

from isocenter.ops.speckle import FLOOR, RATE, TIME, speckle_diffusion


def plain(values: np.ndarray, steps: int) -> np.ndarray:
    """The equations of the paper, pixel by pixel."""
    low, span = values.min(), np.ptp(values)
    image = (values - low) / span + FLOOR
    height, width = image.shape
    start = None
    for step in range(steps):
        sides, q2 = np.zeros((height, width, 4)), np.zeros((height, width))
        for y in range(height):
            for x in range(width):
                here = image[y, x]
                for n, (j, i) in enumerate(((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1))):
                    sides[y, x, n] = image[min(max(j, 0), height - 1), min(max(i, 0), width - 1)] - here
                slope, curve = (sides[y, x] ** 2).sum() / here**2, sides[y, x].sum() / here
                q2[y, x] = max(slope / 2 - curve**2 / 16, 0) / (1 + curve / 4) ** 2
        start = np.median(q2) if start is None else start
        q0 = start * np.exp(-2 * RATE * TIME * step)
        c = np.clip(1 / (1 + (q2 - q0) / (q0 * (1 + q0))), 0, 1)
        new = image.copy()
        for y in range(height):
            for x in range(width):
                below, right = c[min(y + 1, height - 1), x], c[y, min(x + 1, width - 1)]
                weights = (c[y, x], below, c[y, x], right)
                new[y, x] += TIME / 4 * sum(w * d for w, d in zip(weights, sides[y, x], strict=True))
        image = new
    return (image - FLOOR) * span + low


def speckled(seed: int = 0, shape: tuple[int, int] = (60, 70)) -> tuple[np.ndarray, np.ndarray]:
    """Fully developed speckle of four looks, brighter on the right."""
    clean = np.where(np.arange(shape[1]) < shape[1] // 2, 40.0, 120.0)[None] * np.ones(shape)
    return clean * np.random.default_rng(seed).gamma(4.0, 0.25, shape), clean


@pytest.mark.parametrize("steps", [1, 4])
def test_it_does_what_the_equations_say(steps: int) -> None:
    values = np.random.default_rng(1).random((9, 11)) * 200 - 30
    assert np.allclose(speckle_diffusion(values, steps=steps), plain(values, steps), atol=2e-3)


def test_speckle_goes_and_the_edge_stays() -> None:
    image, clean = speckled()
    found = speckle_diffusion(image)
    for side in (np.s_[:, 5:30], np.s_[:, 40:65]):
        assert found[side].std() < 0.4 * image[side].std()
        assert abs(found[side].mean() - clean[side].mean()) < 0.06 * clean[side].mean()
    step = found[:, 38].mean() - found[:, 31].mean()
    assert step > 0.7 * 80


def test_it_stays_in_range_and_follows_the_unit() -> None:
    image, _ = speckled(2)
    found = speckle_diffusion(image)
    assert found.dtype == np.float32
    assert found.min() >= image.min() - 1e-3
    assert found.max() <= image.max() + 1e-3
    assert np.allclose(speckle_diffusion(image * 100 + 7), found * 100 + 7, rtol=1e-3)


def test_nothing_changes_without_steps_and_the_input_never() -> None:
    image, _ = speckled(3)
    kept = image.copy()
    assert np.allclose(speckle_diffusion(image, steps=0), image, atol=1e-3)
    speckle_diffusion(image, steps=3)
    assert np.array_equal(image, kept)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (2, 2), (5, 4)])
def test_small_and_even_images(shape: tuple[int, int]) -> None:
    assert np.array_equal(speckle_diffusion(np.full(shape, 3.0)), np.full(shape, 3.0, np.float32))
    ramp = np.arange(np.prod(shape), dtype=float).reshape(shape)
    assert np.isfinite(speckle_diffusion(ramp)).all()


def test_one_bright_pixel_in_an_even_image_has_no_usual_variation_but_is_smoothed() -> None:
    image = np.zeros((12, 12))
    image[6, 6] = 1.0
    found = speckle_diffusion(image)
    assert np.isfinite(found).all()
    assert 0 < found[6, 6] <= 1
