"""The physics of noise against its formulas."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.simulate import gaussian, poisson, rician, shading, smooth, speckle

FLAT = np.full((200, 200), 10.0)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("grain", [0.0, 2.0])
def test_gaussian_noise_has_its_sd_whatever_its_grain(grain: float) -> None:
    noise = gaussian(FLAT, rng(), sd=3.0, grain=grain) - FLAT
    assert noise.std() == pytest.approx(3.0)
    neighbours = np.corrcoef(noise[:, :-1].ravel(), noise[:, 1:].ravel())[0, 1]
    # Gaussian blur of SD g correlates neighbours by exp(-1 / (4 g^2)).
    assert neighbours == pytest.approx(0.0 if grain == 0 else np.exp(-1 / 16), abs=0.03)


def test_rician_noise_has_its_moments() -> None:
    assert (rician(FLAT, rng(), sd=2.0) ** 2).mean() == pytest.approx(100 + 2 * 4, rel=0.01)
    background = rician(FLAT * 0, rng(), sd=2.0)
    assert background.mean() == pytest.approx(2.0 * np.sqrt(np.pi / 2), rel=0.01)


def test_poisson_noise_counts() -> None:
    found = poisson(FLAT, rng(), counts=5.0)
    assert found.mean() == pytest.approx(10.0, rel=0.01)
    assert found.var() == pytest.approx(10.0 / 5.0, rel=0.03)
    assert (poisson(-FLAT, rng(), counts=5.0) == 0).all()


@pytest.mark.parametrize("looks", [1, 4])
def test_speckle_contrast_follows_the_looks(looks: int) -> None:
    intensity = speckle(FLAT, rng(), looks=looks) ** 2
    assert intensity.mean() == pytest.approx(100.0, rel=0.02)
    assert intensity.std() / intensity.mean() == pytest.approx(looks**-0.5, rel=0.03)


def test_single_look_speckle_is_rayleigh() -> None:
    amplitude = speckle(FLAT, rng(), looks=1)
    # Mean over SD of a Rayleigh distribution.
    assert amplitude.mean() / amplitude.std() == pytest.approx(1.913, rel=0.02)


def test_shading_stays_within_its_strength() -> None:
    field = shading((40, 30), rng(), strength=0.3)
    assert 0.7 <= field.min() < field.max() <= 1.3
    assert np.abs(np.diff(field, axis=0)).max() < 0.1
    assert (shading((1, 1), rng(), strength=0.3) == 1).all()


def test_noise_is_seeded() -> None:
    assert np.array_equal(smooth((9, 9), rng(4), grain=1.0), smooth((9, 9), rng(4), grain=1.0))
    assert not np.array_equal(smooth((9, 9), rng(4), grain=1.0), smooth((9, 9), rng(5), grain=1.0))
    assert (smooth((1, 1), rng(), grain=0.0) == 0).all()
