"""Shapes of bodies whose size is known."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.ops.shape_features import SHAPE_2D, SHAPE_3D, ellipsoid_area, shape_features


def ellipsoid(half: tuple[float, ...], spacing: tuple[float, ...]) -> np.ndarray:
    axes = [np.arange(-int(h / s) - 1, int(h / s) + 2) * s / h for h, s in zip(half, spacing, strict=True)]
    return sum(a**2 for a in np.meshgrid(*axes, indexing="ij")) <= 1


def test_a_ball_of_known_size() -> None:
    found = shape_features(ellipsoid((12.0, 12.0, 12.0), (0.8, 0.6, 0.6)), (0.8, 0.6, 0.6))
    assert tuple(found) == SHAPE_3D
    assert found["volume_mesh"] == pytest.approx(4 / 3 * np.pi * 12**3, rel=0.01)
    assert found["volume_voxels"] == pytest.approx(found["volume_mesh"], rel=0.01)
    # The mesh runs half a voxel outside of the outermost centres.
    assert found["maximum_diameter"] == pytest.approx(24.8, rel=0.01)
    assert found["major_axis_length"] == pytest.approx(4 * 12 / np.sqrt(5), rel=0.01)
    assert found["elongation"] == pytest.approx(1, abs=0.01) and found["flatness"] == pytest.approx(1, abs=0.01)
    # A stairway of voxels is rougher than the ball: its surface is some 8 % too large at any resolution.
    assert 1.0 < found["surface_area_mesh"] / (4 * np.pi * 12**2) < 1.1
    assert found["volume_density_convex_hull"] == pytest.approx(1, abs=0.05)


def test_a_box_and_its_spacing() -> None:
    mask = np.ones((4, 10, 20), bool)
    found = shape_features(mask, (3.0, 1.0, 0.5))
    assert found["volume_voxels"] == pytest.approx(12 * 10 * 10)
    # The mesh cuts the corners of the outermost voxels.
    assert found["volume_mesh"] == pytest.approx(1200, rel=0.05)
    assert found["volume_density_bounding_box"] == pytest.approx(1, abs=0.05)
    scaled = shape_features(mask, (6.0, 2.0, 1.0))
    assert scaled["surface_area_mesh"] == pytest.approx(4 * found["surface_area_mesh"], rel=1e-5)
    assert scaled["sphericity"] == pytest.approx(found["sphericity"], rel=1e-5)
    assert found["spherical_disproportion"] == pytest.approx(1 / found["sphericity"])


def test_axes_have_no_direction_of_their_own() -> None:
    mask = ellipsoid((4.0, 8.0, 16.0), (1.0, 1.0, 1.0))
    one, two = shape_features(mask, (1, 1, 1)), shape_features(mask.transpose(2, 0, 1), (1, 1, 1))
    assert all(one[k] == pytest.approx(two[k], rel=1e-4) for k in SHAPE_3D)
    assert one["elongation"] == pytest.approx(0.5, rel=0.02) and one["flatness"] == pytest.approx(0.25, rel=0.04)


def test_a_disc_and_a_ring() -> None:
    y, x = np.mgrid[-30:31, -30:31]
    disc, ring = (y**2 + x**2 <= 625), (y**2 + x**2 <= 625) & (y**2 + x**2 >= 225)
    found = shape_features(disc, (0.5, 0.5))
    assert tuple(found) == SHAPE_2D
    assert found["area_mesh"] == pytest.approx(np.pi * 12.5**2, rel=0.01)
    assert found["major_axis_length"] == pytest.approx(25, rel=0.01)
    assert 0.9 < found["circularity"] < 1
    holed = shape_features(ring, (0.5, 0.5))
    assert holed["area_pixels"] == pytest.approx(ring.sum() / 4)
    assert holed["area_mesh"] == pytest.approx(ring.sum() / 4, rel=0.02), "a hole counts against the area"
    assert holed["perimeter_mesh"] > found["perimeter_mesh"]


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (1, 1, 1), (1, 1, 4), (1, 3, 3)])
def test_small_regions_have_a_shape(shape: tuple[int, ...]) -> None:
    found = shape_features(np.ones(shape, bool), (1.0,) * len(shape))
    undefined = {k for k, v in found.items() if not np.isfinite(v)}
    assert undefined <= {"elongation", "flatness", "volume_density_ellipsoid", "area_density_ellipsoid"}
    assert found["maximum_diameter"] > 0


def test_the_manuals_ellipsoid_is_exact_for_a_ball_and_off_otherwise() -> None:
    assert ellipsoid_area(3.0, 3.0, 3.0) == pytest.approx(36 * np.pi)
    # An elongated spheroid, whose surface has a closed form.
    a, b = 2.0, 1.0
    e = np.sqrt(1 - b**2 / a**2)
    truth = 2 * np.pi * b**2 * (1 + a / (b * e) * np.arcsin(e))
    assert ellipsoid_area(a, b, b) == pytest.approx(0.81 * truth, rel=0.01)
    flat = 2 * np.pi * a**2 * (1 + (1 - e**2) / e * np.arctanh(e))
    assert ellipsoid_area(a, a, b) == pytest.approx(1.24 * flat, rel=0.01)
