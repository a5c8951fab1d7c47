"""Images: named axes, no caching, contradictions refused."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Geometry, Image
from isocenter.errors import InputError


def test_pixels_are_read_anew_each_time() -> None:
    calls = []

    def load() -> np.ndarray:
        calls.append(1)
        return np.zeros((2, 3), np.uint8)

    image = Image(load, (2, 3), "yx", "uint8", Geometry((2, 3)))
    assert calls == []
    image.pixels()
    image.pixels()
    assert len(calls) == 2


def test_a_file_that_changed_shape_is_refused() -> None:
    image = Image(lambda: np.zeros((2, 4)), (2, 3), "yx", "float64", Geometry((2, 3)))
    with pytest.raises(InputError, match="another shape"):
        image.pixels()


def test_axes_lengths_and_channels() -> None:
    image = Image.from_array(np.zeros((5, 2, 3, 4, 6)), axes="tczyx", channels=("dna", "actin"), spacing=(2, 1, 1))
    assert image.length("t") == 5 and image.length("c") == 2 and image.ndim == 3
    assert image.geometry.spacing == (2, 1, 1)
    grey = Image.from_array(np.ones((3, 4)))
    assert grey.channels_first().shape == (1, 3, 4) and grey.length("c") == 1 and grey.name == "array"
    with pytest.raises(InputError, match=r"film.*frames. Give its frames.*cut\('frame'\)"):
        image.channels_first()
    assert grey.still() is grey
    with pytest.raises(InputError, match="film"):
        image.still()


@pytest.mark.parametrize(
    ("shape", "axes", "extra"),
    [
        ((2, 3, 4), "yxc", {}),
        ((2, 3), "zyx", {}),
        ((2, 3, 4, 5), None, {}),
        ((0, 3), "yx", {}),
        ((2, 3, 4), "cyx", {"channels": ("one",)}),
        ((2, 3), "yx", {"geometry": Geometry((3, 3))}),
    ],
)
def test_contradictions_are_refused(shape: tuple[int, ...], axes: str | None, extra: dict) -> None:
    with pytest.raises(InputError):
        Image.from_array(np.zeros(shape), axes=axes, **extra)


def test_frame_times_must_fit() -> None:
    with pytest.raises(InputError, match="times"):
        Image(lambda: np.zeros((2, 3, 3)), (2, 3, 3), "tyx", "float64", Geometry((3, 3)), times=(0.0,))
