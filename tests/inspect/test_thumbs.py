from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from isocenter.data import Image
from isocenter.inspect.thumbs import SIDE, flat, low_band, thumbnail


def test_thumbnails_have_one_size_mean_and_spread(picture: Callable[..., np.ndarray]) -> None:
    for shape in ((96, 120), (700, 300), (20, 31)):
        image = Image.from_array(picture(1, shape))
        thumb = thumbnail(image, image.pixels())
        assert thumb is not None and thumb.shape == (SIDE[2] ** 2,) and thumb.dtype == np.float16
        assert abs(float(thumb.astype(float).mean())) < 1e-3 and abs(float(thumb.astype(float).std()) - 1) < 1e-2


def test_volumes_channels_and_frames() -> None:
    rng = np.random.default_rng(0)
    for axes, shape in (("zyx", (9, 30, 40)), ("czyx", (2, 9, 30, 40)), ("tzyx", (3, 200, 30, 40))):
        thumb = thumbnail(Image.from_array(np.zeros(shape), axes=axes), rng.random(shape))
        assert thumb is not None and thumb.shape == (SIDE[3] ** 3,)
    assert flat(np.ones((3, 2, 4, 5), np.uint8), "tcyx").shape == (4, 5)


def test_gain_and_offset_do_not_matter(picture: Callable[..., np.ndarray]) -> None:
    a = picture(1).astype(np.float32)
    one, two = (thumbnail(Image.from_array(v), v) for v in (a, 3 * a - 1000))
    assert one is not None and two is not None and np.abs(one - two).max() < 5e-3


@pytest.mark.parametrize("value", [0.0, 7.5, np.nan])
def test_what_shows_nothing_has_none(value: float) -> None:
    array = np.full((30, 40), value)
    assert thumbnail(Image.from_array(array), array) is None


def test_holes_of_nan_are_filled(picture: Callable[..., np.ndarray]) -> None:
    array = picture(1).astype(float)
    array[:5, :5] = np.inf
    thumb = thumbnail(Image.from_array(array), array)
    assert thumb is not None and np.isfinite(thumb).all()


@pytest.mark.parametrize("rank", [2, 3])
def test_the_perceptual_hash_keeps_differences_small(rank: int) -> None:
    rng = np.random.default_rng(0)
    size = SIDE[rank] ** rank
    a = rng.standard_normal((1, size))
    b = a + 0.1 * rng.standard_normal((1, size))
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    bands = low_band(np.concatenate([a, b]))
    # An orthonormal transform: a part of the difference cannot exceed the whole of it.
    assert np.linalg.norm(bands[0] - bands[1]) <= np.linalg.norm(a - b) + 1e-6
    assert np.linalg.norm(bands[0]) <= 1 + 1e-6
