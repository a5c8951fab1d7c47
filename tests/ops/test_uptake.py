"""Uptake of simulated spheres of known activity, and the IBSI's intensity peaks."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from isocenter import io
from isocenter.ops.uptake import RADIUS, SHARE, metabolic, peaks


def sphere(radius: float, spacing: tuple[float, ...], shape: tuple[int, ...]) -> np.ndarray:
    """Share of each voxel in a ball at the middle of the grid, by 5 points an axis."""
    inner = (np.arange(5) - 2) / 5
    middle = [(n - 1) / 2 for n in shape]
    squares = [((np.arange(n)[:, None] + inner - m) * s) ** 2 for n, m, s in zip(shape, middle, spacing, strict=True)]
    z, y, x = squares
    total = z[:, None, None, :, None, None] + y[None, :, None, None, :, None] + x[None, None, :, None, None, :]
    return (total <= radius**2).mean(axis=(3, 4, 5))


@pytest.mark.parametrize("spacing", [(2.0, 2.0, 2.0), (3.0, 2.0, 2.0)])
def test_a_sharp_sphere_of_known_activity(spacing: tuple[float, ...]) -> None:
    """SUV 8 in background 1, 15 mm: maximum and peak exact, volume within 2 %, glycolysis within 5 %."""
    part = sphere(15.0, spacing, (21, 31, 31))
    values, truth = 1 + 7 * part, 4 / 3 * np.pi * 1.5**3
    region = part > 0
    greatest, middle = peaks(values, region, spacing)
    assert greatest == pytest.approx(8) and middle == pytest.approx(8) and values.max() == 8
    volume, glycolysis = metabolic(values[region], np.prod(spacing) / 1000, limit=4.5)
    assert volume == pytest.approx(truth, rel=0.02)
    assert glycolysis == pytest.approx(8 * truth, rel=0.05)


def test_what_the_scanners_blur_and_noise_do_to_it() -> None:
    """6 mm FWHM and 5 % noise: the maximum is some 10 % too high, the peak within 3 %, MTV at 41 % within 15 %."""
    spacing, rng = (2.0, 2.0, 2.0), np.random.default_rng(0)
    part = sphere(15.0, spacing, (27, 27, 27))
    sharp = 1 + 7 * part
    seen = ndimage.gaussian_filter(sharp, 6 / 2.355 / 2) + rng.normal(0, 0.4, part.shape)
    region = ndimage.binary_dilation(part > 0, iterations=2)
    assert 8.5 < seen[region].max() < 10.5
    assert peaks(seen, region, spacing)[0] == pytest.approx(8, rel=0.03)
    volume, glycolysis = metabolic(seen[region], 0.008, limit=SHARE * seen[region].max())
    assert volume == pytest.approx(14.14, rel=0.15) and glycolysis == pytest.approx(8 * 14.14, rel=0.15)


def test_a_small_sphere_peaks_below_its_activity() -> None:
    """Smaller than the millilitre: the peak is the share of the sphere that it fills."""
    part = sphere(4.0, (1.0, 1.0, 1.0), (25, 25, 25))
    peak = peaks(10 * part, part > 0, (1.0, 1.0, 1.0))[0]
    assert peak == pytest.approx(10 * (4.0 / RADIUS) ** 3, rel=0.05)


def test_peaks_against_plain_loops() -> None:
    rng = np.random.default_rng(0)
    values, mask, spacing = rng.random((6, 9, 8)), rng.random((6, 9, 8)) < 0.1, (3.0, 2.0, 2.5)
    everywhere = np.argwhere(np.ones_like(mask))

    def mean(at: np.ndarray) -> float:
        near = (((everywhere - at) * spacing) ** 2).sum(axis=1) <= RADIUS**2
        return float(values[tuple(everywhere[near].T)].mean())

    found = {tuple(at): mean(at) for at in np.argwhere(mask)}
    top = max(found, key=lambda at: values[at])
    assert peaks(values, mask, spacing) == pytest.approx((max(found.values()), found[top]))


def test_the_digital_phantom_of_the_ibsi(real_data) -> None:
    """Local intensity peak 2.6, global 3.1."""
    folder = real_data("radiomics-reference") / "ibsi_1_digital_phantom"
    values = io.read_image(folder / "image" / "phantom.nii.gz").pixels()
    mask = io.read_image(folder / "mask" / "mask.nii.gz").pixels() > 0
    assert peaks(values, mask, (2.0, 2.0, 2.0)) == pytest.approx((3.1, 2.6), abs=0.05)


def test_a_sphere_of_one_millilitre() -> None:
    assert 4 / 3 * np.pi * RADIUS**3 == pytest.approx(1000)
    assert metabolic(np.array([1.0, 2.0]), 1.0, limit=3.0) == (0.0, 0.0)
