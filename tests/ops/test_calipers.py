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


def by_hand(mask, spacing):
    """The longest distance of two middles of faces, and the longest chord across it by looking everywhere."""
    points = []
    for y, x in np.argwhere(mask):
        for dy, dx in ((-0.5, 0), (0.5, 0), (0, -0.5), (0, 0.5)):
            beside = y + int(2 * dy), x + int(2 * dx)
            inside = all(0 <= b < n for b, n in zip(beside, mask.shape, strict=True)) and mask[beside]
            if not inside:
                points.append((y + dy, x + dx))
    points = np.array(points) * spacing
    apart = np.linalg.norm(points[:, None] - points[None], axis=-1)
    i, j = np.unravel_index(apart.argmax(), apart.shape)
    along = (points[j] - points[i]) / apart[i, j]
    across = np.array([-along[1], along[0]])
    u, v = points @ along, points @ across
    best = 0.0
    # Every chord of the convex outline ends on segments between two points.
    for at in np.linspace(u.min(), u.max(), 400):
        low, high = u[:, None] <= at, u[None] >= at
        share = np.where(u[None] > u[:, None], (at - u[:, None]) / np.maximum(u[None] - u[:, None], 1e-12), 0.0)
        ends = np.where(low & high, v[:, None] + share * (v[None] - v[:, None]), np.nan)
        best = max(best, float(np.nanmax(ends) - np.nanmin(ends)))
    return apart.max(), best


@pytest.mark.parametrize("seed", range(12))
def test_any_shape_against_looking_everywhere(seed):
    rng = np.random.default_rng(seed)
    mask = np.zeros((14, 17), bool)
    for _ in range(3):
        y, x, h, w = rng.integers(1, 7, 4)
        mask[y : y + h, x : x + w] = True
    spacing = np.array([rng.uniform(0.5, 2), rng.uniform(0.5, 2)])
    found = calipers(mask, spacing)
    longest, short = by_hand(mask, spacing)
    assert found.longest == pytest.approx(longest, abs=1e-9)
    # Of several longest ones another may have been taken.
    assert short - 0.15 <= found.short <= max(longest, short) + 1e-9


def test_diameters_scale_with_the_spacing_and_do_not_mind_where_the_crop_begins():
    mask = ellipse(20, 11, 0.7, size=60)
    one, twice = calipers(mask, (1.0, 1.0)), calipers(mask, (2.0, 2.0))
    assert (twice.longest, twice.short) == (pytest.approx(2 * one.longest), pytest.approx(2 * one.short))
    wider = calipers(np.pad(mask, ((3, 9), (5, 1))), (1.0, 1.0))
    assert wider.longest == pytest.approx(one.longest)
    assert np.allclose(wider.ends[:2] - (3, 5), one.ends[:2])
