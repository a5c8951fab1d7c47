from __future__ import annotations

import sys

import numpy as np
import pytest

from isocenter.data import IGNORE, Cases, Image
from isocenter.errors import InputError, LabelError, RecipeError
from isocenter.fit.fingerprint import Fingerprint, fingerprint
from isocenter.ops.harmonise import landmarks, standard


def test_shapes_counts_and_values_are_those_of_the_data() -> None:
    x = [np.zeros((10, 20), np.uint8), np.full((12, 20), 200, np.uint8), np.full((14, 20), 100, np.uint8)]
    y = [np.zeros(a.shape, np.uint8) for a in x]
    for mask in y:
        mask[2:6, 4:16] = 1
    found = fingerprint(Cases.from_arrays(x, y, task="segment", classes=["bar"]), "segment")
    assert (found.n, found.rank, found.channels, found.grey) == (3, 2, 1, True)
    assert (found.smallest, found.median, found.largest) == ((10, 20), (12, 20), (14, 20))
    assert found.counts == {"background": 36 * 20 - 3 * 48, "bar": 3 * 48}
    assert (found.low, found.high, found.dtype) == (0.0, 200.0, "uint8")
    assert found.spacing is None
    assert found.classes == ("background", "bar")


@pytest.mark.parametrize("width", [4, 9, 16])
def test_thickness_is_the_width_of_a_band(width: int) -> None:
    mask = np.zeros((128, 128), np.uint8)
    at = np.indices(mask.shape).sum(0) / 2**0.5
    mask[np.abs(at - 90) < width / 2] = 1
    cases = Cases.from_arrays([mask.astype(np.float32)], [mask], task="segment", classes=["band"])
    assert fingerprint(cases, "segment").thickness["band"] == pytest.approx(width, rel=0.3)


def test_spacing_is_the_median_and_its_spread_is_told() -> None:
    images = [Image.from_array(np.zeros((4, 5, 6)), spacing=(s, 1.0, 1.0)) for s in (2.0, 3.0, 5.0)]
    labels = [np.ones((4, 5, 6), np.uint8)] * 3
    found = fingerprint(Cases.from_arrays(images, labels, task="segment", classes=["a"]), "segment")
    assert (found.spacing, found.varied) == ((3.0, 1.0, 1.0), True)
    same = fingerprint(Cases.from_arrays(images[:1], labels[:1], task="segment", classes=["a"]), "segment")
    assert (same.spacing, same.varied) == ((2.0, 1.0, 1.0), False)


def test_three_equal_channels_are_grey_and_colour_is_not() -> None:
    grey = np.repeat(np.random.default_rng(0).integers(0, 255, (1, 8, 8)), 3, 0).astype(np.uint8)
    colour = grey.copy()
    colour[0] //= 2
    for array, expected in ((grey, True), (colour, False)):
        cases = Cases.from_arrays([Image.from_array(array, axes="cyx")] * 2, ["a", "b"])
        assert fingerprint(cases, "classify").grey is expected


def test_ignored_pixels_count_nowhere() -> None:
    mask = np.ones((8, 8), np.uint8)
    mask[:4] = IGNORE
    image = np.where(mask == IGNORE, 1000.0, 5.0)
    cases = Cases.from_arrays([image], [mask], task="segment", classes=["a"])
    found = fingerprint(cases, "segment")
    assert found.counts["a"] == 32
    assert found.high == 5.0


def test_what_cannot_be_learnt_from_is_refused() -> None:
    x = np.zeros((2, 8, 8), np.float32)
    with pytest.raises(LabelError, match="no training example"):
        fingerprint(Cases.from_arrays(x, ["a", "a"], classes=["a", "b"]), "classify")
    with pytest.raises(LabelError, match="has no class"):
        fingerprint(Cases.from_arrays(x), "classify")
    with pytest.raises(InputError, match="0 training cases"):
        fingerprint(Cases.from_arrays(x, ["a", "b"]).subset([]), "classify")
    mixed = Cases.from_arrays([np.zeros((8, 8)), np.zeros((4, 8, 8))], ["a", "b"])
    with pytest.raises(InputError, match="differ in spatial axes"):
        fingerprint(mixed, "classify")


def test_it_survives_json(discs) -> None:
    found = fingerprint(discs().split("train"), "segment")
    assert Fingerprint.from_json(found.as_json()) == found
    with pytest.raises(RecipeError, match="Did you mean"):
        Fingerprint.from_json(found.as_json() | {"chanels": 1})


def test_grey_pictures_among_colour_ones_count_as_colour() -> None:
    rng = np.random.default_rng(0)
    colour = Image.from_array(rng.random((3, 16, 16)).astype(np.float32), axes="cyx")
    grey = Image.from_array(rng.random((16, 16)).astype(np.float32))
    y = [np.eye(16, dtype=np.uint8)] * 2
    for images in ([colour, grey], [grey, colour]):
        found = fingerprint(Cases.from_arrays(images, y, task="segment"), "segment")
        assert (found.channels, found.grey) == (3, False)
    two = Image.from_array(rng.random((2, 16, 16)).astype(np.float32), axes="cyx")
    with pytest.raises(InputError, match="channels"):
        fingerprint(Cases.from_arrays([colour, two], y, task="segment"), "segment")


def test_sizes_of_objects_are_kept_in_pixels() -> None:
    numbers = np.zeros((32, 32), int)
    numbers[2:8, 3:13], numbers[20:24, 20:22] = 1, 2
    cases = Cases.from_arrays([numbers.astype(float)], [numbers], task="instances")
    found = fingerprint(cases, "instances", head="contours")
    assert sorted(found.sizes) == [(4.0, 2.0), (6.0, 10.0)]
    assert found.head == "contours" and found.counts["object"] == 2
    assert Fingerprint.from_json(found.as_json()) == found


@pytest.mark.parametrize(("most", "kept"), [(10**9, 20000), (5000, 5000), (1, 1)])
def test_many_cases_give_fewer_values_each(most: int, kept: int) -> None:
    thinned = sys.modules[Fingerprint.__module__]._thinned
    values = thinned(np.arange(200000, dtype=np.uint32).reshape(1, -1), most)
    assert len(values) == kept
    assert values.dtype == np.float32


def test_the_mean_image_is_told_in_pixels() -> None:
    x = [np.zeros((10, 20), np.uint8), np.ones((10, 40), np.uint8)]
    assert fingerprint(Cases.from_arrays(x, ["a", "b"]), "classify").pixels == 300


def test_train_without_a_labelled_pixel_is_refused_in_words() -> None:
    x = np.random.default_rng(0).integers(0, 255, (3, 16, 16)).astype(np.uint8)
    cases = Cases.from_arrays(x, np.zeros((3, 16, 16), np.uint8), task="segment", classes=("lesion",))
    with pytest.raises(LabelError, match="lesion"):
        fingerprint(cases, "segment")


def test_landmarks_are_the_mean_scale_of_each_channel() -> None:
    rng = np.random.default_rng(0)
    grey = [rng.gamma(2.0, s, (16, 18)).astype(np.float32) for s in (1.0, 30.0)]
    found = fingerprint(Cases.from_arrays(grey, ["a", "b"]), "classify").landmarks
    assert np.allclose(found, standard(np.stack([landmarks(g) for g in grey])), atol=1e-5)
    colour = [Image.from_array(np.stack([g, g * 2, g**2]), axes="cyx") for g in grey]
    found = fingerprint(Cases.from_arrays(colour, ["a", "b"]), "classify").landmarks
    assert len(found) == 33 and found[:11] == pytest.approx(found[11:22], abs=1e-5)
    assert found[22:] != pytest.approx(found[:11], abs=0.05)
    equal = [Image.from_array(np.stack([g] * 3), axes="cyx") for g in grey]
    assert len(fingerprint(Cases.from_arrays(equal, ["a", "b"]), "classify").landmarks) == 11
