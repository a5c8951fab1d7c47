from __future__ import annotations

import numpy as np
import pytest

from isocenter.ops.blobs import ball, outstanding


@pytest.mark.parametrize("bright", [True, False])
def test_the_ball_of_the_size_asked_for_is_found(rng: np.random.Generator, bright: bool) -> None:
    y, x = np.mgrid[:120, :160]
    image = rng.normal(0, 1, (120, 160))
    image += 6.0 * ((y - 45) ** 2 + (x - 100) ** 2 < 15**2) + 9.0 * ((y - 80) ** 2 + (x - 60) ** 2 < 3**2)
    image = image if bright else -image
    assert np.hypot(*np.subtract(outstanding(image, (15, 15), bright=bright), (45, 100))) < 4
    assert np.hypot(*np.subtract(outstanding(image, (3, 3), bright=bright), (80, 60))) < 2


def test_large_balls_are_looked_for_on_a_coarse_grid_and_found_where_they_are() -> None:
    y, x = np.mgrid[:400, :400]
    image = ((y - 250) ** 2 + (x - 150) ** 2 < 60**2).astype(float)
    # The middle draws it a little.
    assert np.hypot(*np.subtract(outstanding(image, (60, 60), bright=True), (250, 150))) < 15


def test_a_volume_with_thick_slices() -> None:
    z, y, x = np.mgrid[:10, :50, :50]
    image = (((z - 6) * 4.0) ** 2 + (y - 20) ** 2 + (x - 30) ** 2 < 8**2).astype(float)
    found = outstanding(image, (2, 8, 8), bright=True)
    assert abs(found[0] - 6) <= 1 and abs(found[1] - 20) <= 2 and abs(found[2] - 30) <= 2


def test_of_two_alike_the_one_nearer_to_the_middle() -> None:
    image = np.zeros((60, 60))
    image[26:34, 26:34] = image[:8, :8] = 1
    assert np.abs(np.subtract(outstanding(image, (4, 4), bright=True), 29.5)).max() < 3


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (2, 1, 3)])
def test_tiny_and_flat_images_have_a_place_too(shape: tuple[int, ...]) -> None:
    found = outstanding(np.ones(shape), (5.0,) * len(shape), bright=True)
    assert all(0 <= i < s for i, s in zip(found, shape, strict=True))


def test_a_ball_is_what_lies_within_its_radii() -> None:
    z, y, x = np.mgrid[:7, :20, :21]
    wanted = ((z - 3) / 2) ** 2 + ((y - 9) / 5) ** 2 + ((x - 11) / 6) ** 2 <= 1
    assert np.array_equal(ball((7, 20, 21), (3, 9, 11), (2, 5, 6)), wanted)
    assert np.argwhere(ball((5, 5), (2, 3), (0, 0))).tolist() == [[2, 3]]
    assert ball((5, 5), (9, 9), (0.1, 0.1)).sum() == 1, "beyond the edge: its nearest pixel"
