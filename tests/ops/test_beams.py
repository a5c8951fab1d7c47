"""Parallel beams and fans, found and laid out."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from isocenter.ops.beams import Beams, beams, laid_back, laid_out, lit
from isocenter.simulate.lung import APEX, FACE, HALF, LungScene, lung

SHAPE = (160, 180)


@cache
def fan() -> np.ndarray:
    pixels, _ = lung(SHAPE, np.random.default_rng(0), LungScene(), convex=True)
    return pixels[0].astype(np.float32)


def test_the_apex_the_angles_and_the_face_of_a_fan_are_found() -> None:
    found = beams(fan())
    assert found is not None and found.apex is not None
    assert abs(found.apex[0] + APEX * SHAPE[0]) < 3
    assert abs(found.apex[1] - (SHAPE[1] - 1) / 2) < 2
    assert np.allclose(found.angles[[0, -1]], [-HALF, HALF], atol=0.02)
    assert abs(found.face - FACE * SHAPE[0]) < 3
    # Neighbouring beams part with depth and are a pixel apart in between.
    assert found.width(0) < 1 < found.width(SHAPE[0])


def test_a_fan_is_found_where_pixels_are_not_square() -> None:
    found = beams(np.repeat(fan(), 2, axis=0), (0.5, 1.0))
    assert found is not None and found.apex is not None
    assert found.step == 0.5
    assert abs(found.apex[0] + APEX * SHAPE[0]) < 4
    assert np.allclose(found.angles[[0, -1]], [-HALF, HALF], atol=0.03)
    back = laid_out(np.repeat(fan(), 2, axis=0), found)
    assert back.shape == found.points.shape[1:]


def test_a_full_picture_has_parallel_beams() -> None:
    values = np.random.default_rng(0).random((40, 60)).astype(np.float32) + 1
    values[0, 0] = 0
    found = beams(values)
    assert found is not None and found.apex is None and found.width(30) == 1.0
    assert np.allclose(laid_out(values, found), values)
    assert beams(values, probe="convex") is None


def test_a_margin_is_left_out() -> None:
    values = np.zeros((60, 80), np.float32)
    values[10:50, 20:70] = np.random.default_rng(0).random((40, 50)) + 1
    found = beams(values)
    assert found is not None
    assert found.points[:, 0, 0].tolist() == [10, 20] and found.points.shape[1:] == (40, 50)
    labels = np.ones((40, 50), np.uint8)
    assert np.array_equal(laid_back(labels, found, values.shape), (values > 0).astype(np.uint8))


def test_linear_may_be_said_of_a_fan() -> None:
    found = beams(fan(), probe="linear")
    assert found is not None and found.apex is None


def test_there_and_back_is_the_same_label() -> None:
    found = beams(fan())
    assert found is not None
    depth, n = found.points.shape[1:]
    labels = np.zeros((depth, n), np.uint8)
    labels[depth // 3 : depth // 2, n // 4 : n // 2] = 3
    picture = laid_back(labels, found, SHAPE)
    again = laid_out((picture == 3).astype(np.float32), found) > 0.5
    both = 2 * np.count_nonzero(again & (labels == 3)) / (np.count_nonzero(again) + np.count_nonzero(labels == 3))
    assert both > 0.95
    assert picture.dtype == np.uint8 and picture[0, 0] == 0


def test_outside_of_the_picture_is_no_number() -> None:
    found = beams(fan())
    assert found is not None
    out = laid_out(fan()[:, 20:], Beams(found.points, *found[1:]))
    assert np.isnan(out).any() and np.isfinite(out).any()


@pytest.mark.parametrize("values", [np.zeros((20, 20), np.float32), np.ones((20, 30), np.float32)])
def test_one_value_is_all_lit(values: np.ndarray) -> None:
    assert lit(values).all()


def test_lit_is_the_largest_part_without_holes() -> None:
    values = np.zeros((40, 40), np.float32)
    values[5:30, 5:30] = 1
    values[15, 15] = 0
    values[35:38, 35:38] = 1
    assert np.array_equal(np.argwhere(lit(values))[[0, -1]], [[5, 5], [29, 29]])
    assert lit(values)[15, 15] and not lit(values)[36, 36]


def test_parallel_beams_of_pixels_that_are_not_square() -> None:
    values = np.random.default_rng(0).random((30, 40)).astype(np.float32) + 1
    values[0, 0] = 0
    found = beams(values, (2.0, 1.0))
    assert found is not None and found.apex is None and found.step == 1.0
    out = laid_out(values, found)
    assert out.shape == (59, 40)
    assert np.allclose(out[::2], values)
    assert np.allclose(out[1::2], (values[1:] + values[:-1]) / 2)
    labels = np.zeros(out.shape, np.uint8)
    labels[20:30, 5:9] = 2
    back = laid_back(labels, found, values.shape)
    assert np.argwhere(back == 2)[[0, -1]].tolist() == [[10, 5], [14, 8]]


def test_one_straight_side_makes_no_fan() -> None:
    y, x = np.indices((120, 120))
    noise = np.random.default_rng(0).random((120, 120)) + 1
    one = np.where(x > 60 - 0.6 * y, noise, 0).astype(np.float32)
    both = np.where(x < 60 + 0.6 * y, one, 0).astype(np.float32)
    found = beams(one)
    assert found is not None and found.apex is None
    found = beams(both)
    assert found is not None and found.apex is not None
    assert np.allclose(found.apex, (0, 60), atol=3)
    assert np.allclose(np.tan(found.angles[[0, -1]]), (-0.6, 0.6), atol=0.03)


def test_sides_that_meet_below_are_none() -> None:
    y, x = np.indices((120, 160))
    noise = np.random.default_rng(0).random((120, 160)) + 1
    upside_down = np.where((x > 0.5 * y + 3) & (x < 157 - 0.5 * y), noise, 0).astype(np.float32)
    found = beams(upside_down)
    assert found is not None and found.apex is None
    assert beams(upside_down, probe="convex") is None


def test_a_fan_cut_off_above_begins_at_the_cut() -> None:
    cut = beams(fan()[30:])
    whole = beams(fan())
    assert cut is not None and whole is not None and cut.apex is not None and whole.apex is not None
    assert abs(cut.apex[0] + 30 - whole.apex[0]) < 3
    assert 12 < cut.face - whole.face < 40


def test_a_fan_may_hold_a_speck_beside_it() -> None:
    values = fan().copy()
    values[100:104, 2:6] = 255
    found = beams(values)
    assert found is not None and found.apex is not None
    assert np.allclose(found.angles[[0, -1]], [-HALF, HALF], atol=0.02)
