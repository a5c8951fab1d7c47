from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Geometry, Image
from isocenter.data.cut import take
from isocenter.errors import GeometryError
from isocenter.layouts.stacking import stacked


def image(value: int, axes: str = "yx", shape: tuple[int, ...] = (2, 3), dtype: str = "uint8") -> Image:
    return Image.from_array(np.full(shape, value, dtype), axes=axes, spacing=(2.0, 1.0))


def test_planes_become_channels() -> None:
    made = stacked([image(1), image(2, dtype="int16")], "c", channels=("a", "b"))
    assert (made.axes, made.shape, made.channels, made.dtype) == ("cyx", (2, 2, 3), ("a", "b"), "int16")
    assert made.pixels()[:, 0, 0].tolist() == [1, 2] and made.geometry.spacing == (2.0, 1.0)


def test_frames_go_before_channels_and_channels_before_space() -> None:
    colour = [image(i, "cyx", (4, 2, 3)) for i in range(3)]
    film = stacked(colour, "t")
    assert (film.axes, film.shape) == ("tcyx", (3, 4, 2, 3))
    film = stacked([image(i, "tyx", (5, 2, 3)) for i in range(2)], "c", channels=("a", "b"))
    assert (film.axes, film.shape) == ("tcyx", (5, 2, 2, 3)) and film.pixels().shape == film.shape
    assert film.pixels()[0, :, 0, 0].tolist() == [0, 1]


def test_nothing_is_read_until_asked() -> None:
    def fail() -> np.ndarray:
        raise AssertionError("read too early")

    lazy = Image(fail, (2, 3), "yx", "uint8", Geometry((2, 3)))
    assert stacked([lazy, lazy], "c").shape == (2, 2, 3)


def test_another_grid_is_named() -> None:
    with pytest.raises(GeometryError, match="different grids"):
        stacked([image(1), image(1, shape=(3, 3))], "c")
    shifted = Image.from_array(np.zeros((2, 3)), geometry=Geometry.from_spacing((2, 3), (2.0, 1.0), origin=(9.0, 0.0)))
    with pytest.raises(GeometryError):
        stacked([image(1), shifted], "c")


def test_one_frame_is_read_alone() -> None:
    def fail() -> np.ndarray:
        raise AssertionError("another frame was read")

    broken = Image(fail, (2, 3), "yx", "uint8", Geometry((2, 3)))
    whole = Image.from_array(np.full((2, 3), 7, np.uint8))
    film = stacked([broken, whole, broken], "t")
    assert take(film, "t", 1).pixels().tolist() == whole.pixels().tolist()
    with pytest.raises(AssertionError, match="another frame"):
        film.pixels()
    colours = stacked([stacked([whole, whole], "c", channels=("a", "b"))] * 2, "t")
    assert take(colours, "c", 0).pixels().shape == (2, 2, 3)
