from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Geometry, Image
from isocenter.errors import LabelError
from isocenter.io import labels


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "uint32", "int64"])
def test_whole_numbers_stay_as_they_are(dtype: str) -> None:
    array = np.asarray([[0, 1], [7, 100]], dtype)
    assert labels.whole("a.nii", array) is array


def test_true_and_false_are_one_and_zero() -> None:
    found = labels.whole("a.npy", np.asarray([True, False]))
    assert found.dtype == np.uint8
    assert found.tolist() == [1, 0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_floating_point_that_is_whole_is_taken(dtype: str) -> None:
    found = labels.whole("a.nii", np.asarray([0.0, 3.0, -1.0, 70000.0], dtype))
    assert found.dtype == np.int32
    assert found.tolist() == [0, 3, -1, 70000]


@pytest.mark.parametrize("bad", [0.5, np.nan, np.inf, -np.inf, 1e30])
def test_a_value_that_is_not_whole_is_refused_by_name(bad: float) -> None:
    with pytest.raises(LabelError, match=r"a\.nii: labels that are not whole numbers"):
        labels.whole("a.nii", np.asarray([0.0, 1.0, bad]))


def image(shape: tuple[int, ...], axes: str, channels: tuple[str, ...] = ()) -> Image:
    grid = tuple(s for s, a in zip(shape, axes, strict=True) if a in "zyx")
    return Image(lambda: np.zeros(shape), shape, axes, "uint8", Geometry(grid), channels)


def test_equal_colours_collapse_to_one_number() -> None:
    mask = np.asarray([[0, 255], [255, 0]], np.uint8)
    found = labels.single("a.png", image((3, 2, 2), "cyx"), np.stack([mask] * 3))
    assert np.array_equal(found, mask)


def test_different_colours_are_refused() -> None:
    array = np.zeros((3, 2, 2), np.uint8)
    array[0, 0, 0] = 255
    with pytest.raises(LabelError, match=r"a\.png: a label map of 3 different channels"):
        labels.single("a.png", image((3, 2, 2), "cyx"), array)


def test_a_full_alpha_channel_is_dropped_and_a_partial_one_refused() -> None:
    mask = np.asarray([[0, 9], [9, 0]], np.uint8)
    full = np.stack([mask, mask, mask, np.full_like(mask, 255)])
    source = image((4, 2, 2), "cyx", ("red", "green", "blue", "alpha"))
    assert np.array_equal(labels.single("a.png", source, full), mask)
    full[3, 0, 0] = 10
    with pytest.raises(LabelError, match="partly transparent"):
        labels.single("a.png", source, full)


def test_frames_must_be_equal_to_be_one_label_map() -> None:
    film = np.stack([np.eye(3, dtype=np.uint8)] * 2)
    source = image((2, 3, 3), "tyx")
    assert np.array_equal(labels.single("a.tif", source, film), np.eye(3))
    film[1, 0, 1] = 1
    with pytest.raises(LabelError, match=r"2 different frames.*one file a frame"):
        labels.single("a.tif", source, film)


def test_indices_read_raw_from_a_colour_picture_are_left_alone() -> None:
    raw = np.asarray([[0, 3], [4, 0]], np.uint8)
    assert np.array_equal(labels.single("a.png", image((3, 2, 2), "cyx"), raw), raw)
