"""Diameters against shapes whose diameters are known."""

import numpy as np
import pytest

from isocenter.errors import InputError
from isocenter.ops.calipers import calipers


def ellipse(a, b, angle, spacing=(1.0, 1.0), size=140):
    y, x = ((np.arange(size) - size / 2) * s for s in spacing)
    u = x[None] * np.cos(angle) + y[:, None] * np.sin(angle)
    v = y[:, None] * np.cos(angle) - x[None] * np.sin(angle)
    return (u / a) ** 2 + (v / b) ** 2 <= 1


@pytest.mark.parametrize("angle", [0.0, 0.4, 1.2, 2.5])
@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.5, 1.0), (0.7, 0.7)])
def test_both_diameters_of_an_ellipse(angle, spacing):
    found = calipers(ellipse(30, 18, angle, spacing), spacing)
    assert found.longest == pytest.approx(60, abs=1.2)
    assert found.short == pytest.approx(36, abs=1.2)


def test_the_ends_are_where_the_diameters_are_and_stand_at_right_angles():
    spacing = (0.5, 1.0)
    found = calipers(ellipse(30, 18, 0.5, spacing), spacing)
    a, b, c, d = found.ends * spacing
    assert np.linalg.norm(b - a) == pytest.approx(found.longest)
    assert np.linalg.norm(d - c) == pytest.approx(found.short)
    assert (b - a) @ (d - c) == pytest.approx(0, abs=1e-6)


def test_of_a_volume_the_slice_with_the_longest():
    mask = np.zeros((5, 20, 20), bool)
    mask[1, 4:8, 4:8] = True
    mask[3, 4:8, 2:18] = True
    found = calipers(mask, (5.0, 1.0, 1.0))
    assert found.plane == 3
    assert found.short == pytest.approx(4, abs=0.2)
    assert found.longest == pytest.approx(16, abs=0.3)


def test_the_short_axis_is_a_chord_not_a_shadow():
    # Of a thin parallelogram the shadow across its diagonal is far wider than any chord there.
    y, x = np.indices((60, 60))
    mask = (y >= 10) & (y < 50) & (x - y >= -5) & (x - y < 5)
    found = calipers(mask, (1.0, 1.0))
    assert found.short == pytest.approx(10 / np.sqrt(2), abs=1.0)


def test_one_pixel_is_one_pixel_wide():
    found = calipers(np.ones((1, 1), bool), (0.8, 0.8))
    assert (found.longest, found.short) == (pytest.approx(0.8), pytest.approx(0.8))


@pytest.mark.parametrize("mask", [np.zeros((3, 3), bool), np.ones(3, bool)])
def test_what_has_no_diameter_is_refused(mask):
    with pytest.raises(InputError):
        calipers(mask, (1.0, 1.0))
