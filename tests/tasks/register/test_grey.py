"""One number a pixel, whatever the channels hold."""

import numpy as np
import pytest

from isocenter.data import Image, NotEvaluated
from isocenter.errors import InputError, NotFoundError
from isocenter.tasks.register._grey import grey


def test_the_mean_of_all_channels_but_alpha_or_one_by_name():
    array = np.stack([np.full((2, 3), v, np.uint8) for v in (10, 20, 255)])
    image = Image.from_array(array, axes="cyx", channels=("a", "b", "alpha"))
    assert (grey(image, None) == 15).all()
    assert (grey(image, "b") == 20).all()
    assert grey(image, None).dtype == np.float32
    with pytest.raises(NotFoundError, match="no channel 'c'"):
        grey(image, "c")


def test_channels_without_a_name_go_by_number():
    image = Image.from_array(np.stack([np.zeros((2, 2)), np.ones((2, 2))]), axes="cyx")
    assert (grey(image, "1") == 1).all()


def test_what_is_not_finite_is_nan_and_nothing_else_is_no_image():
    array = np.array([[1.0, np.inf], [np.nan, 1e300]])
    expected = [[1, np.nan], [np.nan, np.nan]]
    assert np.array_equal(grey(Image.from_array(array), None), expected, equal_nan=True)
    assert isinstance(grey(Image.from_array(array * np.nan), None), NotEvaluated)


def test_a_film_is_refused():
    with pytest.raises(InputError, match="film"):
        grey(Image.from_array(np.zeros((3, 4, 4)), axes="tyx"), None)
