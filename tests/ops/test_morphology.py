"""Morphology against scikit-image, analytic shapes and the laws that it must obey."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import morphology as sk

from isocenter.ops import morphology as m

SHAPES = [((40, 50), (4, 4)), ((40, 50), (7, 3)), ((12, 20, 18), (2, 4, 4)), ((1, 30), (0, 3)), ((3, 3), (9, 9))]


def noise(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random(shape).astype(np.float32)


def element(radii: tuple[float, ...]) -> np.ndarray:
    """The structuring element itself, seen as the dilation of one pixel."""
    grid = np.zeros([2 * int(r) + 3 for r in radii], np.float32)
    grid[tuple(s // 2 for s in grid.shape)] = 1
    return m.dilate(grid, radii) > 0


@pytest.mark.parametrize(("shape", "radii"), SHAPES)
def test_grey_erosion_is_that_of_scikit_image_with_the_same_element(
    shape: tuple[int, ...], radii: tuple[int, ...]
) -> None:
    image = noise(shape)
    whole = tuple(min(r, s) for r, s in zip(radii, shape, strict=True))
    assert np.array_equal(m.erode(image, radii), sk.erosion(image, element(whole), mode="ignore"))
    assert np.array_equal(m.dilate(image, radii), sk.dilation(image, element(whole), mode="ignore"))


@pytest.mark.parametrize("radii", [(12.0, 12.0), (30.0, 30.0), (9.0, 9.0, 9.0)])
def test_the_element_is_nearly_a_ball(radii: tuple[float, ...]) -> None:
    found = np.argwhere(element(radii)) - (np.array(element(radii).shape) // 2)
    directions = np.random.default_rng(0).normal(size=(500, len(radii)))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    reach = (found @ directions.T).max(axis=0)
    assert reach.min() >= 0.93 * radii[0]
    assert reach.max() <= 1.12 * radii[0]


def test_openings_obey_their_laws() -> None:
    image = noise((60, 60), 1)
    once = m.opened(image, (3, 3))
    assert (once <= image).all()
    assert np.array_equal(m.opened(once, (3, 3)), once)
    assert np.array_equal(m.hat(image, (3, 3), bright=False), m.hat(-image, (3, 3)))


def test_a_hat_keeps_thin_and_removes_wide() -> None:
    image = np.zeros((60, 60))
    image[:, 10:13] = 5.0
    image[:, 30:50] = 5.0
    found = m.hat(image, (4, 4))
    assert (found[:, 10:13] == 5).all()
    assert (found[:, 30:50] == 0).all()


def test_a_large_background_is_found_on_a_coarser_grid() -> None:
    y, x = np.mgrid[:300, :300]
    slope = 0.1 * x + 0.05 * y
    image = slope + 20.0 * ((y - 150) ** 2 + (x - 150) ** 2 < 40**2)
    found = m.hat(image, (60, 60))
    assert found.min() >= 0
    assert found[150, 150] == pytest.approx(20, abs=6)
    assert np.abs(m.background(image, (60, 60)) - m.opened(image, (60, 60)))[60:-60, 60:-60].max() < 1.0


def test_reconstruction_agrees_with_its_definition() -> None:
    mask = noise((20, 20), 2)
    marker = mask - 0.3
    slow = marker
    for _ in range(400):
        slow = np.minimum(sk.dilation(slow, np.ones((3, 3))), mask)
    assert np.allclose(m.reconstruct(marker, mask), slow)


def test_enclosed_finds_a_pit_but_not_a_bay() -> None:
    image = np.full((30, 30), 10.0)
    image[10:15, 10:15] = 2.0
    image[20:25, 20:] = 2.0
    found = m.enclosed(image, bright=False)
    assert (found[10:15, 10:15] == 8).all()
    assert found.sum() == 8 * 25


def disc(n: int, r: float) -> np.ndarray:
    y, x = np.mgrid[:n, :n] - (n - 1) / 2
    return np.asarray(y**2 + x**2 <= r**2)


def test_binary_erosion_and_dilation_are_exact() -> None:
    mask = disc(61, 20.3)
    ball = disc(11, 5)
    assert np.array_equal(m.erode_mask(mask, 5, (1, 1)), sk.erosion(mask, ball))
    assert np.array_equal(m.dilate_mask(mask, 5, (1, 1)), sk.dilation(mask, ball))


def test_binary_radius_is_in_the_unit_of_the_spacing() -> None:
    mask = np.zeros((20, 20, 20), bool)
    mask[4:16, 4:16, 4:16] = True
    found = m.erode_mask(mask, 3.0, (5.0, 1.0, 1.0))
    assert np.array_equal(np.argwhere(found).min(axis=0), (4, 7, 7))


def test_opening_and_closing_of_masks() -> None:
    mask = disc(41, 10)
    mask[20, :] = True
    mask[18:20, 18:20] = False
    assert not m.open_mask(mask, 2, (1, 1))[20, 0]
    assert m.close_mask(mask, 2, (1, 1))[19, 19]
    assert m.fill_small(mask, 4)[18, 18]
    assert not m.fill_small(mask, 3)[18, 18]


def test_reconstruction_of_masks_keeps_whole_parts() -> None:
    mask = np.zeros((10, 10), bool)
    mask[1:3, 1:8] = True
    mask[6:8, 6:8] = True
    marker = np.zeros_like(mask)
    marker[1, 1] = True
    assert m.reconstruct_mask(marker, mask).sum() == 14
    assert not m.reconstruct_mask(np.zeros_like(mask), mask).any()


@pytest.mark.parametrize("fill", [False, True])
def test_empty_and_full_masks_stay(fill: bool) -> None:
    mask = np.full((5, 6), fill)
    for found in (m.erode_mask(mask, 2, (1, 1)), m.dilate_mask(mask, 2, (1, 1)), m.fill_small(mask, 9)):
        assert np.array_equal(found, mask)


def test_inner_radius() -> None:
    assert m.inner_radius(disc(61, 20), (1, 1)) == pytest.approx(20.5, abs=0.6)
    assert m.inner_radius(disc(61, 20), (0.5, 0.5)) == pytest.approx(10.25, abs=0.3)
    assert m.inner_radius(np.zeros((4, 4), bool), (1, 1)) == 0


def test_the_edge_of_a_grid() -> None:
    assert m.edge((3, 3)).sum() == 8
    assert m.edge((1, 4)).sum() == 2
    assert not m.edge((1, 1)).any()


@pytest.mark.parametrize("operation", [m.erode, m.dilate, m.opened, m.background, m.hat])
def test_grey_operations_commute_with_turns_and_flips(operation) -> None:
    image = noise((30, 41), 3)
    found = operation(image, (3, 5))
    assert np.array_equal(operation(image[::-1], (3, 5)), found[::-1])
    assert np.array_equal(operation(image.T, (5, 3)), found.T)


def test_erosion_and_dilation_are_dual_and_order_values() -> None:
    image = noise((20, 22), 4)
    assert np.array_equal(m.erode(image, (2, 2)), -m.dilate(-image, (2, 2)))
    assert (m.erode(image, (2, 2)) <= image).all()
    assert (m.erode(image, (4, 4)) <= m.erode(image, (2, 2))).all()
    assert (m.erode(image, (0.4, 0.4)) == image).all()


def test_whole_numbers_are_welcome() -> None:
    image = (255 * noise((12, 12))).astype(np.uint8)
    assert m.hat(image, (2, 2), bright=False).min() >= 0
    assert m.enclosed(image).dtype == np.float32
