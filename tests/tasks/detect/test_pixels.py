from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Case, Image, NotEvaluated
from isocenter.errors import NotFoundError
from isocenter.tasks.detect._pixels import channel, channels, foreground, pixels


def test_every_channel_has_mean_0_and_sd_1() -> None:
    rng = np.random.default_rng(0)
    values = np.moveaxis(rng.random((9, 11, 3)) * [9, 90, 250], 2, 0)
    image = Image.from_array(values.astype(np.uint8), axes="cyx")
    found = pixels(Case.of(image))
    assert found.shape == (3, 9, 11)
    assert found.dtype == np.float32
    assert np.allclose(found.mean((1, 2)), 0, atol=1e-5)
    assert np.allclose(found.std((1, 2)), 1, atol=1e-5)


def test_a_constant_channel_is_zero_and_nan_is_not_answered() -> None:
    assert not pixels(Case.of(Image.from_array(np.full((4, 5), 3)))).any()
    assert isinstance(pixels(Case.of(Image.from_array(np.full((4, 5), np.nan)))), NotEvaluated)


def test_channels_by_name() -> None:
    image = Image.from_array(np.random.default_rng(0).random((3, 6, 7)), axes="cyx")
    names = channels(image)
    assert names[0] == "mean"
    assert len(names) == 4
    array = pixels(Case.of(image))
    assert np.array_equal(channel(array, image, names[2]), array[1])
    assert np.allclose(channel(array, image, "mean"), array.mean(0))
    with pytest.raises(NotFoundError, match="Known"):
        channel(array, image, "infrared")
    assert channels(Image.from_array(np.zeros((3, 3)))) == ("mean",)


def test_the_foreground_is_one_side_of_otsus_threshold() -> None:
    values = np.r_[np.zeros(5), np.ones(3)][None]
    assert foreground(values, bright=True).sum() == 3
    assert foreground(values, bright=False).sum() == 5
    assert not foreground(np.ones((3, 3)), bright=True).any()
