"""One channel of an image as numbers."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import After, Before, Case, Image, NotEvaluated, knobs
from isocenter.errors import InputError, NotFoundError, RecipeError
from isocenter.ops.denoise import METHODS
from isocenter.ops.stain import DERIVED, derived
from isocenter.tasks.segment._grey import ORDERED, channels, colours, grey, refuse_unused

RGBA = np.stack([np.full((5, 6), v, np.uint8) for v in (30, 60, 120, 255)])
COLOUR = Image.from_array(RGBA, axes="cyx", channels=("red", "green", "blue", "alpha"))


def values(image: Image, **before) -> np.ndarray:
    return grey(Case.of(image), Before(**before))


@pytest.mark.parametrize(("channel", "wanted"), [(None, 70), ("mean", 70), ("green", 60), ("alpha", 255)])
def test_channels_by_name(channel: str | None, wanted: float) -> None:
    found = values(COLOUR, channel=channel)
    assert found.shape == (5, 6)
    assert found.dtype == np.float32
    assert (found == wanted).all()


def test_channels_by_number_where_they_have_no_name() -> None:
    image = Image.from_array(RGBA, axes="cyx")
    assert (values(image, channel="2") == 120).all()
    assert channels(image) == ("mean", "0", "1", "2", "3")
    assert channels(COLOUR) == ("mean", "red", "green", "blue")
    assert channels(Image.from_array(RGBA[0])) == ("mean",)


def test_an_unknown_channel_names_the_nearest() -> None:
    with pytest.raises(NotFoundError, match="Did you mean green"):
        values(COLOUR, channel="gren")


def test_what_is_not_finite_becomes_the_least() -> None:
    array = np.arange(12.0).reshape(3, 4)
    array[0, 1], array[2, 3] = np.nan, np.inf
    assert values(Image.from_array(array))[0, 1] == 0
    assert values(Image.from_array(array))[2, 3] == 0
    assert isinstance(values(Image.from_array(np.full((3, 3), np.nan))), NotEvaluated)


def test_window_and_smoothing() -> None:
    array = np.zeros((9, 9))
    array[4, 4] = 100.0
    image = Image.from_array(array)
    assert values(image, window=(0.0, 10.0)).max() == 10
    assert values(image, denoise="median").max() == 0
    assert 0 < values(image, denoise="gaussian").max() < 100
    assert grey(Case.of(image), Before(), denoise="median").max() == 0
    assert grey(Case.of(image), Before(denoise="none"), denoise="median").max() == 100


@pytest.mark.parametrize("name", list(DERIVED))
def test_derived_channels_of_a_colour_picture(name: str) -> None:
    assert np.array_equal(values(COLOUR, channel=name), derived(RGBA[:3], name))
    turned = Image.from_array(RGBA[[3, 2, 0, 1]], axes="cyx", channels=("alpha", "blue", "red", "green"))
    assert np.array_equal(values(turned, channel=name), derived(RGBA[:3], name))
    with pytest.raises(NotFoundError, match=name):
        values(Image.from_array(RGBA[0]), channel=name)


def test_a_colour_that_is_no_number_makes_no_derived_value() -> None:
    array = np.full((3, 2, 2), 0.5)
    array[1, 0, 0] = np.nan
    image = Image.from_array(array, axes="cyx", channels=("red", "green", "blue"))
    assert np.isfinite(values(image, channel="lab-a")).all()
    nothing = Image.from_array(array[:, :1, :1], axes="cyx", channels=("red", "green", "blue"))
    assert isinstance(values(nothing, channel="lab-a"), NotEvaluated)


def test_a_channel_of_the_image_goes_before_a_derived_one_of_its_name() -> None:
    image = Image.from_array(RGBA, axes="cyx", channels=("red", "green", "blue", "lab-a"))
    assert (values(image, channel="lab-a") == 255).all()


def test_what_fit_may_try_of_colours() -> None:
    assert colours(COLOUR) == ("mean", "red", "green", "blue", *ORDERED)
    assert set(ORDERED) < set(DERIVED)
    assert colours(Image.from_array(RGBA, axes="cyx")) == ("mean", "0", "1", "2", "3")
    assert colours(Image.from_array(RGBA[0])) == ("mean",)


@pytest.mark.parametrize("how", list(METHODS))
def test_every_choice_of_smoothing_is_one_that_there_is(how: str) -> None:
    choices = next(k for k in knobs(Before) if k.name == "denoise").choices
    assert set(choices) == set(METHODS)
    found = values(Image.from_array(RGBA[0].astype(np.uint16) * 200), denoise=how)
    assert (found == 6000).all()


def test_a_film_is_refused() -> None:
    with pytest.raises(InputError, match="frame"):
        values(Image.from_array(np.zeros((3, 4, 5)), axes="tyx"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Before(spacing=(1.0, 1.0)), After()),
        (Before(coarser=2.0), After()),
        (Before(intensity="standardise"), After()),
        (Before(intensity="window"), After()),
        (Before(), After(mirror=("x",))),
        (Before(), After(overlap=0.5)),
    ],
)
def test_settings_that_would_be_ignored_are_refused(before: Before, after: After) -> None:
    with pytest.raises(RecipeError, match="histogram"):
        refuse_unused(before, after, where="histogram")
