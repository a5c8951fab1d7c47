"""The errors that are foretold are those that balls and discs at random places have."""

import numpy as np
import pytest

from isocenter.ops.size_error import diameter_error, faces, placing, size_error, surface


def ball(radius, spacing, at):
    axes = [(np.arange(int(2 * radius / s) + 6) - int(radius / s) - 3) * s for s in spacing]
    grid = np.meshgrid(*axes, indexing="ij")
    return sum((g - a) ** 2 for g, a in zip(grid, at, strict=True)) <= radius**2


def drawn(rng, spacing, low, high, n=160):
    errors, foretold = [], []
    for _ in range(n):
        radius = rng.uniform(low, high)
        mask = ball(radius, spacing, rng.uniform(-0.5, 0.5, len(spacing)) * spacing)
        true = 4 / 3 * np.pi * radius**3 if len(spacing) == 3 else np.pi * radius**2
        errors.append(mask.sum() * np.prod(spacing) - true)
        foretold.append(size_error(mask, spacing, 0.0)[0])
    return np.array(errors), np.array(foretold)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 0.8, 0.8), (0.7, 0.7)])
def test_the_error_of_the_place_is_the_one_that_is_foretold(spacing):
    errors, foretold = drawn(np.random.default_rng(0), spacing, 6, 10)
    assert errors.std() == pytest.approx(foretold.mean(), rel=0.25)
    assert 0.9 <= (np.abs(errors) < 1.96 * foretold).mean() <= 0.99


def test_the_surface_of_a_ball_is_that_of_a_ball():
    assert surface(ball(12, (1.0, 1.0, 1.0), (0, 0, 0)), (1.0, 1.0, 1.0)) == pytest.approx(4 * np.pi * 144, rel=0.04)
    assert surface(ball(12, (0.5, 0.5), (0, 0)), (0.5, 0.5)) == pytest.approx(24 * np.pi, rel=0.03)
    assert surface(ball(12, (3.0, 1.0, 1.0), (0, 0, 0)), (3.0, 1.0, 1.0)) == pytest.approx(4 * np.pi * 144, rel=0.05)


def test_faces_of_a_box():
    assert faces(np.ones((2, 3, 4), bool), (5.0, 1.0, 2.0)).tolist() == [2 * 3 * 8, 2 * 10 * 8, 2 * 10 * 3]


def test_a_border_that_is_seen_elsewhere_changes_the_size_by_the_surface():
    spacing = (0.5, 0.5, 0.5)
    small, large = (ball(r, spacing, (0, 0, 0)).sum() * 0.125 for r in (9.5, 10.5))
    shared = size_error(ball(10, spacing, (0, 0, 0)), spacing, 0.5)[1]
    assert (large - small) / 2 == pytest.approx(shared, rel=0.02)
    # Without a word about it: anywhere within half a pixel.
    assert size_error(ball(10, spacing, (0, 0, 0)), spacing)[1] == pytest.approx(
        shared * 0.5 / np.sqrt(12) / 0.5, rel=0.02)


def test_diameters_of_thick_slices_are_less_sure():
    flat, thin, thick = (diameter_error(12.0, s, 0.2) for s in ((0.8, 0.8), (0.8, 0.8, 0.8), (6.0, 0.8, 0.8)))
    assert flat[0] < thin[0] < 1.02 * flat[0] and thick[0] > 1.25 * flat[0]
    assert flat[1] == thick[1] == 0.4
    assert diameter_error(0.0, (1.0, 1.0))[1] == pytest.approx(1 / np.sqrt(3))


def test_the_constants_are_those_of_the_lattice_sums():
    # Epstein zeta functions of the cubic and the square lattice at 4 and 3, from tables.
    assert placing((1.0, 1.0, 1.0)) == pytest.approx(16.5323 / (8 * np.pi**3), rel=0.01)
    assert placing((1.0, 1.0)) == pytest.approx(9.0336 / (4 * np.pi**3), rel=0.01)
    assert placing((2.0, 2.0, 2.0)) == pytest.approx(16 * placing((1.0, 1.0, 1.0)), rel=1e-6)


@pytest.mark.parametrize("spacing", [(0.8, 0.8), (1.0, 1.0, 1.0), (2.5, 0.7, 0.7)])
def test_the_ends_of_a_diameter_lie_within_what_is_foretold(spacing):
    from isocenter.ops.calipers import calipers

    rng = np.random.default_rng(1)
    changes, foretold = [], []
    for _ in range(80):
        radii = rng.uniform(6, 9, 2)
        found = []
        for radius in radii:
            mask = ball(radius, spacing, rng.uniform(-0.5, 0.5, len(spacing)) * spacing)
            found.append(calipers(mask, spacing).longest)
        changes.append(found[1] - found[0] - 2 * (radii[1] - radii[0]))
        foretold.append(np.hypot(*(diameter_error(f, spacing, 0.0)[0] for f in found)))
    assert (np.abs(changes) < 1.96 * np.array(foretold)).mean() >= 0.95


def test_errors_grow_with_the_pixel_and_sizes_with_their_surface():
    mask = ball(10, (1.0, 1.0, 1.0), (0, 0, 0))
    fine, coarse = size_error(mask, (1.0, 1.0, 1.0)), size_error(mask, (2.0, 2.0, 2.0))
    # Twice the pixel and twice the radius: the surface is four times as large, the variance 2^6 times.
    assert coarse[0] == pytest.approx(8 * fine[0], rel=1e-6)
    assert coarse[1] == pytest.approx(8 * fine[1], rel=1e-6)
    assert size_error(mask, (1.0, 1.0, 1.0), 0.0)[1] == 0.0


def test_turned_axes_have_the_same_constant():
    assert placing((3.0, 0.8, 1.1)) == pytest.approx(placing((0.8, 1.1, 3.0)), rel=1e-9)
    assert placing((1.0, 1.0, 1.0)) < placing((2.0, 1.0, 0.5))


def test_a_single_pixel_and_a_hole_have_faces():
    assert faces(np.ones((1, 1, 1), bool), (1.0, 2.0, 3.0)).tolist() == [12.0, 6.0, 4.0]
    ring = np.ones((3, 3), bool)
    ring[1, 1] = False
    assert faces(ring, (1.0, 1.0)).tolist() == [8.0, 8.0]
    assert surface(np.zeros((3, 3), bool), (1.0, 1.0)) == 0.0
