"""What a linear method looks at."""

from __future__ import annotations

import json

import numpy as np
import pytest

from isocenter.data import Image, Normalisation, Plan
from isocenter.errors import InputError
from isocenter.ops.texture import FIRST_ORDER
from isocenter.tasks.classify._features import Features


def plan(rank: int = 2, channels: int = 1) -> Plan:
    return Plan("classify", rank, channels, ("a", "b"), normalisation=Normalisation("none"))


def test_a_row_is_thumbnail_intensities_and_texture() -> None:
    array = np.random.default_rng(0).random((2, 20, 30))
    row = Features((4, 6)).row(Image.from_array(array, axes="cyx"), plan(channels=2))
    assert row.shape == (2 * 24 + 2 * len(FIRST_ORDER) + 30,)
    assert row[:24].mean() == pytest.approx(0, abs=1e-6)
    assert row[48] == pytest.approx(array[0].mean())
    assert Features((4, 6), texture=False).row(Image.from_array(array[0]), plan()).shape == (24,)


def test_pixels_and_the_rest_can_be_made_to_count_alike() -> None:
    features = Features((10, 10))
    assert features.pixels(plan(channels=2)) == 200
    assert features.balance(plan(channels=2), 250) == pytest.approx(2.0)
    assert features.balance(plan(channels=2), 200) == 1.0


def test_thumbnails_follow_the_intensity() -> None:
    image = Image.from_array(np.full((8, 8), 51, np.uint8))

    def thumbnail(**settings) -> float:
        return float(Features((2, 2), texture=False, **settings).row(image, plan())[0])

    assert thumbnail() == 0
    assert thumbnail(intensity="rescale") == pytest.approx(0.2)
    assert thumbnail(intensity="none") == 51
    assert thumbnail(intensity="percentile") == 0
    assert thumbnail(intensity="window", window=(0.0, 102.0)) == 0


def test_standardised_thumbnails_do_not_depend_on_gain_and_offset() -> None:
    array = np.random.default_rng(0).random((16, 16))
    rows = [Features((4, 4), texture=False).row(Image.from_array(a), plan()) for a in (array, 500 * array + 9)]
    assert np.allclose(rows[0], rows[1], atol=1e-4)


def test_volumes_and_equal_channels() -> None:
    volume = Image.from_array(np.random.default_rng(0).random((6, 9, 7)))
    assert Features((2, 2, 2)).row(volume, plan(3)).shape == (8 + len(FIRST_ORDER) + 30,)
    grey = np.random.default_rng(0).random((9, 9))
    three = Image.from_array(np.stack([grey] * 3), axes="cyx")
    assert np.array_equal(Features((3, 3)).row(three, plan()), Features((3, 3)).row(Image.from_array(grey), plan()))


def test_another_rank_is_refused() -> None:
    with pytest.raises(InputError, match="3D"):
        Features((2, 2)).row(Image.from_array(np.zeros((3, 3, 3))), plan())


def test_it_survives_json() -> None:
    for features in (Features((4, 4)), Features((2, 3, 4), "window", (-100.0, 300.0), False)):
        assert Features.from_json(json.loads(json.dumps(features.as_json()))) == features
