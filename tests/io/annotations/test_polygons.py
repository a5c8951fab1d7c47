from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from skimage.measure import points_in_poly

from isocenter.errors import LabelError
from isocenter.io.annotations.marks import cropped
from isocenter.io.annotations.polygons import bounds, filled, outlined, rectangle

SHAPE = (20, 24)


def test_pixels_whose_centres_lie_inside_are_filled() -> None:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    centres = np.stack([x.ravel() + 0.5, y.ravel() + 0.5], axis=1)
    for _ in range(10):
        angle = np.sort(rng.uniform(0, 2 * np.pi, 9))
        radius = rng.uniform(3, 9, 9)
        ring = np.stack([12.1 + radius * np.cos(angle), 10.2 + radius * np.sin(angle)], axis=1)
        start, mask = filled([ring], SHAPE) or (None, None)
        whole = np.zeros(SHAPE, bool)
        whole[start[0] : start[0] + mask.shape[0], start[1] : start[1] + mask.shape[1]] = mask
        assert np.array_equal(whole, points_in_poly(centres, ring).reshape(SHAPE))


@pytest.mark.parametrize("share", [0.03, 0.3, 0.5, 0.7, 0.97])
def test_outlines_give_the_very_pixels_back(share: float) -> None:
    rng = np.random.default_rng(int(100 * share))
    for _ in range(5):
        mask = rng.random(SHAPE) < share
        crop = cropped(mask)
        assert crop is not None
        parts = outlined(crop)
        # One part for each piece that edges connect, so that no ring touches itself.
        assert len(parts) == ndimage.label(mask)[1]
        start, again = filled([ring for part in parts for ring in part], SHAPE) or (None, None)
        assert np.array_equal(start, crop[0]) and np.array_equal(again, crop[1])
        for part in parts:
            for ring in part:
                assert len({tuple(p) for p in ring}) == len(ring)


def test_a_ring_has_its_hole_and_corners_alone() -> None:
    mask = np.ones((5, 6), bool)
    mask[2, 2:4] = False
    (outer, hole), = outlined((np.array([10, 20]), mask))
    assert outer.tolist() == [[20, 10], [26, 10], [26, 15], [20, 15]]
    assert sorted(hole.tolist()) == [[22, 12], [22, 13], [24, 12], [24, 13]]


def test_an_outline_smaller_than_a_pixel_marks_the_pixel_under_it() -> None:
    small = np.array([[5.1, 3.1], [5.3, 3.1], [5.2, 3.3]])
    start, mask = filled([small], SHAPE) or (None, None)
    assert start.tolist() == [3, 5] and mask.tolist() == [[True]]
    assert filled([small + 100], SHAPE) is None


def test_outlines_are_cut_at_the_image() -> None:
    start, mask = filled([np.array([[-3, -3], [2, -3], [2, 2], [-3, 2]])], SHAPE) or (None, None)
    assert start.tolist() == [0, 0] and mask.shape == (2, 2) and mask.all()


@pytest.mark.parametrize("ring", [np.zeros((2, 2)), np.zeros((3, 3)), np.full((4, 2), np.nan)])
def test_what_is_no_outline_is_refused(ring: np.ndarray) -> None:
    with pytest.raises(LabelError, match="not an outline"):
        filled([ring], SHAPE)


def test_boxes_and_rings_agree() -> None:
    edges = np.array([[1.5, 4.5], [3.5, 9.5]])
    assert rectangle(edges).tolist() == [[5, 2], [10, 2], [10, 4], [5, 4]]
    assert np.array_equal(bounds([rectangle(edges)]), edges)
