from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isocenter.data import Geometry, Image, Normalisation, Plan
from isocenter.errors import BundleError, GeometryError, InputError, ResourceError
from isocenter.infer import back, prepare, working_shape
from isocenter.infer.preparing import piece, weight
from isocenter.ops import harmonise
from isocenter.ops.resample import resize

RAW = Normalisation("none")


def plan(rank=2, channels=1, normalisation=RAW, **fields):
    return Plan("segment", rank, channels, ("background", "a"), normalisation=normalisation, **fields)


def test_an_image_is_left_on_its_own_grid_when_the_plan_says_nothing(rng):
    pixels = rng.integers(0, 100, (7, 9)).astype(np.int16)
    ready = prepare(Image.from_array(pixels), plan())
    assert ready.array.dtype == np.float32 and ready.array.flags.c_contiguous
    assert ready.own == ready.working == (7, 9)
    assert np.array_equal(ready.array[0], pixels)


def test_spacing_makes_the_grid_and_the_box_stays(rng):
    pixels = rng.normal(size=(10, 40, 30)).astype(np.float32)
    image = Image.from_array(pixels, spacing=(5.0, 0.8, 1.1))
    ready = prepare(image, plan(rank=3, spacing=(2.0, 1.0, 1.0)))
    assert ready.working == (25, 32, 33)
    np.testing.assert_array_equal(ready.array, resize(pixels[None], (25, 32, 33)))
    there = image.geometry.resampled(ready.working)
    assert there.spacing == pytest.approx((2.0, 1.0, 1.0))
    middle = image.geometry.to_world(np.array([[4.5, 19.5, 14.5]]))
    assert there.to_world(np.array([[12.0, 15.5, 16.0]])) == pytest.approx(middle)


def test_unknown_spacing_is_refused_where_the_plan_has_one():
    with pytest.raises(GeometryError, match=r"spacing of the image is unknown.*State it"):
        prepare(Image.from_array(np.zeros((8, 8))), plan(spacing=(1.0, 1.0)))


def test_size_wins():
    image = Image.from_array(np.zeros((8, 9)))
    assert working_shape(image, plan(size=(32, 16), spacing=(1.0, 1.0))) == (32, 16)
    assert prepare(image, plan(size=(32, 16))).working == (32, 16)


def test_a_tiny_axis_keeps_a_pixel():
    image = Image.from_array(np.zeros((1, 50)), spacing=(0.1, 1.0))
    assert working_shape(image, plan(spacing=(1.0, 1.0))) == (1, 50)


def test_an_absurd_grid_is_refused_before_it_is_made():
    image = Image.from_array(np.zeros((100, 100)), spacing=(1e4, 1e4))
    with pytest.raises(ResourceError, match=r"available.*needed"):
        prepare(image, plan(spacing=(1e-4, 1e-4)))


def test_one_channel_feeds_three(rng):
    pixels = rng.normal(size=(6, 6))
    out = prepare(Image.from_array(pixels), plan(channels=3, normalisation=Normalisation("standardise"))).array
    assert out.shape == (3, 6, 6) and np.array_equal(out[0], out[2])


def test_three_equal_channels_feed_one_and_colour_is_refused(rng):
    grey = np.repeat(rng.integers(0, 255, (1, 6, 6)), 3, axis=0).astype(np.uint8)
    assert np.array_equal(prepare(Image.from_array(grey, axes="cyx"), plan()).array[0], grey[0])
    colour = grey.copy()
    colour[1, 2, 3] ^= 1
    with pytest.raises(InputError, match=r"channels do not fit.*got 3 .*needed 1\. Save what"):
        prepare(Image.from_array(colour, axes="cyx"), plan())


@pytest.mark.parametrize(("names", "channels"), [(("R", "G", "B", "A"), 3), (("grey", "alpha"), 1)])
def test_alpha_is_dropped(names, channels, rng):
    pixels = rng.normal(size=(len(names), 5, 5)).astype(np.float32)
    out = prepare(Image.from_array(pixels, axes="cyx", channels=names), plan(channels=channels)).array
    assert np.array_equal(out, pixels[:-1])


@pytest.mark.parametrize(("have", "want"), [(2, 3), (4, 3), (4, 1), (2, 1), (3, 4), (1, 2)])
def test_other_channels_are_refused(have, want, rng):
    with pytest.raises(InputError, match="channels do not fit"):
        prepare(Image.from_array(rng.normal(size=(have, 5, 5)), axes="cyx"), plan(channels=want))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_unusable_pixels(bad):
    pixels = np.zeros((4, 4))
    pixels[1, 2] = bad
    with pytest.raises(InputError, match="NaN or infinite pixels: got 1 of 16"):
        prepare(Image.from_array(pixels), plan())


def test_complex_pixels_films_and_wrong_ranks_are_refused():
    with pytest.raises(InputError, match="not real numbers"):
        prepare(Image.from_array(np.zeros((4, 4), complex)), plan())
    with pytest.raises(InputError, match="film"):
        prepare(Image.from_array(np.zeros((2, 4, 4)), axes="tyx"), plan())
    with pytest.raises(InputError, match="images of 3 axes"):
        prepare(Image.from_array(np.zeros((4, 4))), plan(rank=3))
    with pytest.raises(InputError, match=r"2 axes.*cut"):
        prepare(Image.from_array(np.zeros((4, 4, 4))), plan())


def test_values_are_normalised_on_the_working_grid(rng):
    pixels = rng.integers(0, 255, (64, 64)).astype(np.uint8)
    image = Image.from_array(pixels)
    ready = prepare(image, plan(size=(16, 16), normalisation=Normalisation("standardise"))).array
    assert ready.mean() == pytest.approx(0, abs=1e-5) and ready.std() == pytest.approx(1, abs=1e-5)
    assert prepare(image, plan(normalisation=Normalisation("rescale"))).array.max() == pytest.approx(pixels.max() / 255)
    assert abs(prepare(image, plan(normalisation=Normalisation("percentile"))).array).max() == pytest.approx(2)
    how = Normalisation("window", 0.0, 100.0, 50.0, 25.0)
    assert prepare(image, plan(normalisation=how)).array.max() == pytest.approx(2)


@pytest.mark.parametrize("how", [Normalisation("window"), Normalisation("window", 5.0, 5.0), Normalisation("other")])
def test_a_plan_that_cannot_be_used(how):
    with pytest.raises(BundleError, match="normalisation"):
        prepare(Image.from_array(np.zeros((4, 4))), plan(normalisation=how))


def test_preparing_twice_reads_twice_and_answers_the_same(rng):
    pixels, reads = rng.normal(size=(9, 9)), []

    def load():
        reads.append(1)
        return pixels

    image = Image(load, (9, 9), "yx", "float64", Geometry((9, 9)))
    how = plan(normalisation=Normalisation("percentile"))
    assert np.array_equal(prepare(image, how).array, prepare(image, how).array)
    assert len(reads) == 2


def test_back_is_the_way_home(rng):
    image = Image.from_array(rng.normal(size=(12, 10, 8)), spacing=(3.0, 1.0, 2.0))
    ready = prepare(image, plan(rank=3, spacing=(1.0, 1.0, 1.0)))
    home = back(ready.array, ready.own)
    assert home.shape == (1, 12, 10, 8)
    assert np.corrcoef(home.ravel(), image.pixels().ravel())[0, 1] > 0.85


def test_what_a_network_is_shown_weighs() -> None:
    image = Image.from_array(np.zeros((3, 40, 50), np.uint8), axes="cyx", spacing=(1.0, 1.0))
    none = Plan("segment", 2, 3, ("background", "a"), normalisation=Normalisation("none"))
    seen = weight(image, none)
    assert (seen.raw, seen.made, seen.making, seen.grid) == (6000, 24000, 24000, (40, 50))
    # A channel in float64; two copies; another grid beside the one that it comes from.
    assert weight(image, replace(none, normalisation=Normalisation("standardise"))).making == 24000 + 16000
    assert weight(image, replace(none, normalisation=Normalisation("percentile"))).making == 3 * 24000
    half = weight(image, replace(none, spacing=(2.0, 2.0)))
    assert (half.raw, half.made, half.making, half.grid) == (6000, 6000, 12000, (20, 25))


def test_of_a_volume_a_flat_network_sees_one_slice_at_once() -> None:
    volume = Image.from_array(np.zeros((6, 40, 50), np.int16), spacing=(3.0, 1.0, 1.0))
    flat = Plan("segment", 2, 1, ("background", "a"), normalisation=Normalisation("none"))
    assert piece(volume, flat).geometry.shape == (40, 50) and piece(volume, replace(flat, rank=3)) is volume
    seen = weight(volume, flat)
    assert (seen.raw, seen.made) == (24000, 8000)
    film = Image.from_array(np.zeros((3, 40, 50), np.int16), axes="tyx", spacing=(1.0, 1.0))
    with pytest.raises(InputError, match="film"):
        weight(film, flat)
    with pytest.raises(InputError, match="needs a volume"):
        piece(piece(volume, flat), replace(flat, rank=3))


def test_values_are_made_the_same_across_devices(rng):
    array = rng.gamma(2.0, 100.0, (1, 20, 24)).astype(np.float32)
    image = Image.from_array(array[0])
    scale = tuple(np.linspace(-2, 2, 11) ** 3 / 4)
    for how, wanted in ((Normalisation("foreground"), harmonise.foreground(array)),
                        (Normalisation("clahe"), harmonise.clahe(array)),
                        (Normalisation("landmarks", landmarks=scale), harmonise.matched(array, scale))):
        assert np.array_equal(prepare(image, plan(normalisation=how)).array, wanted), how.kind
        assert weight(image, plan(normalisation=how)).making > weight(image, plan()).making
    three = Normalisation("landmarks", landmarks=scale * 3)
    assert np.allclose(prepare(image, plan(channels=3, normalisation=three)).array, wanted, atol=1e-5)
    with pytest.raises(BundleError, match="cannot be used"):
        prepare(Image.from_array(rng.random((3, 8, 8)), axes="cyx"), plan(channels=3, normalisation=how))
