"""Surfaces and distances against shapes whose answer is known, and against a plain search over all elements."""

from __future__ import annotations

import time
from itertools import product

import numpy as np
import pytest

from isocenter.errors import InputError
from isocenter.ops.surface import surface_pair, surface_points

SPACINGS = [(1.0, 1.0, 1.0), (0.5, 0.5, 0.5), (3.0, 1.0, 1.0), (5.0, 0.7, 0.7)]
FLAT = [(1.0, 1.0), (0.4, 0.4), (2.0, 0.5), (0.3, 1.1)]


def ball(
    spacing: tuple[float, ...], radius: float, shift: tuple[float, ...] | None = None, reach: float = 34
) -> np.ndarray:
    """Pixels whose centre lies in a ball about an odd place near the middle."""
    axes = [np.arange(int(2 * reach / s)) * s for s in spacing]
    grid = np.meshgrid(*axes, indexing="ij")
    offset = shift or (0.0,) * len(spacing)
    return sum((g - reach - 0.13 - o) ** 2 for g, o in zip(grid, offset, strict=True)) <= radius**2


def half(spacing: tuple[float, ...]) -> float:
    return float(np.linalg.norm(spacing)) / 2


@pytest.mark.parametrize("spacing", SPACINGS + FLAT)
@pytest.mark.parametrize("radii", [(12, 26), (20, 23)])
def test_shells_are_as_thick_as_they_are(spacing: tuple[float, ...], radii: tuple[float, float]) -> None:
    d = surface_pair(ball(spacing, radii[0]), ball(spacing, radii[1])).distances(spacing)
    thick = radii[1] - radii[0]
    for measured in (d.percentile(100), d.percentile(95), d.mean()):
        assert abs(measured - thick) <= half(spacing)


@pytest.mark.parametrize("spacing", SPACINGS + FLAT)
def test_a_shifted_ball_is_its_shift_away(spacing: tuple[float, ...]) -> None:
    for axis in range(len(spacing)):
        last = (0.0, 0.0, 0.0)
        for pixels in (1, 3, 6):
            shift = [0.0] * len(spacing)
            shift[axis] = pixels * spacing[axis]
            d = surface_pair(ball(spacing, 20), ball(spacing, 20, tuple(shift))).distances(spacing)
            assert abs(d.percentile(100) - shift[axis]) <= half(spacing)
            now = (d.percentile(100), d.percentile(95), d.mean())
            assert all(n > b for n, b in zip(now, last, strict=True)), "distances grow with the shift"
            last = now


def test_mean_distance_of_a_shifted_ball_is_half_the_shift() -> None:
    # |cos| averages to 1/2 over a sphere and to 2/pi over a circle.
    d = surface_pair(ball((0.5,) * 3, 24), ball((0.5,) * 3, 24, (4.0, 0, 0))).distances((0.5,) * 3)
    assert d.mean() == pytest.approx(2.0, abs=half((0.5,) * 3))
    d = surface_pair(ball((0.5,) * 2, 24), ball((0.5,) * 2, 24, (4.0, 0))).distances((0.5,) * 2)
    assert d.mean() == pytest.approx(8 / np.pi, abs=half((0.5,) * 2))


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_shifted_boxes_are_exact(spacing: tuple[float, ...], axis: int) -> None:
    a = np.zeros((20, 24, 26), bool)
    a[5:12, 6:15, 7:16] = True
    for pixels in (1, 4):
        d = surface_pair(a, np.roll(a, pixels, axis)).distances(spacing)
        assert d.percentile(100) == pytest.approx(pixels * spacing[axis])


def test_box_in_a_box_measures_the_gap() -> None:
    a, b = np.zeros((30, 30), bool), np.zeros((30, 30), bool)
    a[10:20, 10:20] = b[7:23, 7:23] = True
    d = surface_pair(a, b).distances((1.0, 1.0))
    assert d.percentile(50) == pytest.approx(3.0)
    # From the inner box the gap is 3 everywhere but at its corners, which lie half a diagonal further in.
    assert d.forth.max() == pytest.approx(3.0 + 0.25, abs=0.3)


@pytest.mark.parametrize("spacing", SPACINGS)
def test_flat_faces_have_their_area(spacing: tuple[float, ...]) -> None:
    a = np.zeros((40, 40, 40), bool)
    a[5:35, 5:35, 5:35] = True
    sides = 30 * np.array(spacing)
    true = 2 * (sides[0] * sides[1] + sides[1] * sides[2] + sides[0] * sides[2])
    assert surface_pair(a, a).areas(spacing)[0] == pytest.approx(true, rel=0.06)


def test_a_diagonal_line_has_its_length() -> None:
    a = np.tri(60, dtype=bool)
    assert surface_pair(a, a).areas((1.0, 1.0))[0] == pytest.approx(60 * (2 + 2**0.5), rel=0.03)


@pytest.mark.parametrize(("dim", "most"), [(2, 1.07), (3, 1.07)])
def test_round_shapes_have_their_area_within_seven_percent(dim: int, most: float) -> None:
    spacing = (1.0,) * dim
    a = ball(spacing, 30)
    true = 2 * np.pi * 30 if dim == 2 else 4 * np.pi * 900
    assert 1.0 <= surface_pair(a, a).areas(spacing)[0] / true <= most


@pytest.mark.parametrize("shape", [(9, 11), (6, 7, 8)])
@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_a_search_over_all_pairs(shape: tuple[int, ...], seed: int) -> None:
    rng = np.random.default_rng(seed)
    spacing = tuple(rng.uniform(0.5, 3, len(shape)))
    a, b = rng.random(shape) < 0.3, rng.random(shape) < 0.2
    d = surface_pair(a, b).distances(spacing)
    pa, wa = elements(a, spacing)
    pb, wb = elements(b, spacing)
    table = np.linalg.norm(pa[:, None] - pb[None], axis=2)
    assert np.allclose(np.sort(d.forth), np.sort(table.min(axis=1)))
    assert d.mean() == pytest.approx((table.min(1) @ wa + table.min(0) @ wb) / (wa.sum() + wb.sum()))
    near = (wa[table.min(1) <= 1].sum() + wb[table.min(0) <= 1].sum()) / (wa.sum() + wb.sum())
    assert d.share_within(1.0) == pytest.approx(near)


def elements(mask: np.ndarray, spacing: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Place and area of every surface element, cell by cell in plain loops."""
    n = mask.ndim
    m = np.pad(mask, 1)
    corners = list(product((0, 1), repeat=n))
    points, areas = [], []
    for cell in np.ndindex(*[s - 1 for s in m.shape]):
        value = {c: bool(m[tuple(np.add(cell, c))]) for c in corners}
        if len(set(value.values())) == 1:
            continue
        middles, slope = [], np.zeros(n)
        for c in corners:
            for axis in range(n):
                if c[axis] == 0:
                    other = tuple(v + (i == axis) for i, v in enumerate(c))
                    slope[axis] += (value[other] - value[c]) / 2 ** (n - 1) / spacing[axis]
                    if value[other] != value[c]:
                        middles.append(np.add(c, other) / 2)
        if not slope.any():
            k = sum(value.values())
            slope = min(k, 2**n - k) * np.array([1 / 2 ** (n - 1) / s for s in spacing])
        points.append((np.add(cell, np.mean(middles, axis=0))) * spacing)
        areas.append(np.linalg.norm(slope) * np.prod(spacing))
    return np.array(points), np.array(areas)


def test_same_masks_are_nothing_apart() -> None:
    a = ball((1.0, 1.0), 11)
    d = surface_pair(a, a).distances((2.0, 1.0))
    assert (d.percentile(100), d.percentile(95), d.mean(), d.share_within(0.0)) == (0.0, 0.0, 0.0, 1.0)


def test_symmetry() -> None:
    a, b = ball((1.0, 1.0), 9), ball((1.0, 1.0), 12, (3.0, 1.0))
    one, two = surface_pair(a, b).distances((1.0, 2.0)), surface_pair(b, a).distances((1.0, 2.0))
    assert one.percentile(95) == two.percentile(95)
    assert one.mean() == pytest.approx(two.mean())
    assert np.array_equal(one.forth, two.back)


def test_one_axis_of_one_pixel_has_no_top_and_no_bottom() -> None:
    a, b = ball((1.0, 1.0), 9), ball((1.0, 1.0), 12)
    flat = surface_pair(a, b).distances((1.0, 2.0))
    slab = surface_pair(a[:, None], b[:, None]).distances((1.0, 77.0, 2.0))
    assert np.array_equal(flat.forth, slab.forth) and flat.mean() == slab.mean()


def test_one_pixel_and_a_whole_image() -> None:
    a, b = np.zeros((8, 8), bool), np.ones((8, 8), bool)
    a[0, 0] = True
    d = surface_pair(a, b).distances((1.0, 1.0))
    # The corner pixel touches the border; the far corner of the image is the furthest away.
    assert d.percentile(100) == pytest.approx(np.hypot(7, 7), abs=0.71)
    one = np.ones((1, 1), bool)
    assert surface_pair(one, one).distances((1.0, 1.0)).mean() == 0.0


def test_far_from_the_border_position_does_not_matter() -> None:
    a, b = np.zeros((40, 40), bool), np.zeros((40, 40), bool)
    a[3:9, 4:12] = b[5:9, 4:15] = True
    here = surface_pair(a, b).distances((1.0, 1.5))
    there = surface_pair(np.roll(a, 20, 1), np.roll(b, 20, 1)).distances((1.0, 1.5))
    assert here.mean() == pytest.approx(there.mean(), rel=1e-12)


def test_ignored_pixels_are_not_measured_from() -> None:
    a, b = np.zeros((20, 20), bool), np.zeros((20, 20), bool)
    a[5:15, 5:10] = b[5:15, 5:15] = True
    out = np.zeros((20, 20), bool)
    out[:, 10:] = True
    d = surface_pair(a, b, ignored=out).distances((1.0, 1.0))
    assert d.percentile(100) == 0.0, "they differ only where nobody knows"
    assert d.areas.sum() == d.back_areas.sum() < surface_pair(a, b).areas((1.0, 1.0))[0]


def test_a_band_of_ignore_around_everything_leaves_nothing_to_measure() -> None:
    a = np.zeros((20, 20), bool)
    a[5:15, 5:15] = True
    out = np.ones((20, 20), bool)
    out[6:14, 6:14] = False
    d = surface_pair(a, a, ignored=out).distances((1.0, 1.0))
    assert d.empty and d.mean() is None and d.percentile(95) is None and d.share_within(1.0) is None


def test_refusals() -> None:
    a, b = np.ones((3, 3), bool), np.zeros((3, 3), bool)
    with pytest.raises(InputError, match="empty"):
        surface_pair(a, b).distances((1.0, 1.0))
    with pytest.raises(InputError, match="empty"):
        surface_pair(b, b).distances((1.0, 1.0))
    with pytest.raises(InputError, match="grids"):
        surface_pair(a, np.ones((3, 4), bool))


def test_percentile_goes_by_area_not_by_number() -> None:
    # Long thin pixels: a face across them is ten times as large as one along them.
    a = np.zeros((12, 40), bool)
    a[3:9, 5:35] = True
    b = a.copy()
    b[3:9, 35:38] = True
    d = surface_pair(a, b).distances((10.0, 1.0))
    moved = d.back_areas[d.back > 2].sum() / d.back_areas.sum()
    assert 0.2 < moved < 0.6, "the moved end is short in pixels and long in mm"
    assert d.percentile(95) == pytest.approx(3.0, abs=0.6)


def test_a_large_volume_takes_a_fraction_of_a_second() -> None:
    grid = np.indices((128,) * 3)
    a = sum((g - 64) ** 2 for g in grid) <= 2500
    b = sum((g - c) ** 2 for g, c in zip(grid, (66, 64, 63), strict=True)) <= 2601
    best = min(_timed(a, b) for _ in range(3))
    assert best < 0.5, f"{best:.2f} s"


def _timed(a: np.ndarray, b: np.ndarray) -> float:
    start = time.process_time()
    d = surface_pair(a, b).distances((1.0, 1.0, 1.0))
    d.percentile(95), d.mean()
    return time.process_time() - start


def test_points_lie_between_pixels_that_are_in_and_out() -> None:
    mask = np.zeros((9, 12), bool)
    mask[3:6, 4:9] = True
    points = surface_points(mask)
    assert points.min(0).tolist() == [2.5, 3.5] and points.max(0).tolist() == [5.5, 8.5]
    # The whole grid: its border is the surface, around a single slice too.
    assert surface_points(np.ones((1, 4, 4), bool))[:, 0].tolist().count(0.5) == 9
    assert surface_points(np.ones((4, 4), bool)).max(0).tolist() == [3.5, 3.5]
    assert surface_points(np.zeros((4, 4), bool)).shape == (0, 2)
