"""What a linear method looks at."""

from __future__ import annotations

import json

import numpy as np
import pytest

from isocenter.data import Case, Image, Normalisation, NotEvaluated, Plan
from isocenter.errors import InputError, NotFoundError
from isocenter.ops.radiomics import radiomics
from isocenter.ops.texture import FIRST_ORDER
from isocenter.tasks._features import Features, features_of
from isocenter.tasks.classify.boosting import Boosting
from isocenter.tasks.classify.linear import Linear


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


def test_a_recipe_says_its_features() -> None:
    assert features_of(Linear(texture=False), plan()) == Features((24, 24), texture=False)
    assert features_of(Boosting(size=5, features="both", region="tumour"), plan(rank=3)) == Features(
        (5, 5, 5), kind="both", region="tumour"
    )


def test_another_rank_is_refused() -> None:
    with pytest.raises(InputError, match="3D"):
        Features((2, 2)).row(Image.from_array(np.zeros((3, 3, 3))), plan())


def test_it_survives_json() -> None:
    for features in (Features((4, 4)), Features((2, 3, 4), "window", (-100.0, 300.0), False),
                     Features((4, 4), kind="both", region="mask")):
        assert Features.from_json(json.loads(json.dumps(features.as_json()))) == features


def test_what_was_written_before_there_were_kinds_is_read() -> None:
    old = {"size": [4, 4], "intensity": "standardise", "window": None, "texture": True}
    assert Features.from_json(old) == Features((4, 4))


def test_radiomics_of_the_whole_image_have_no_shape() -> None:
    array = np.random.default_rng(0).normal(100, 10, (20, 30))
    row = Features((4, 4), kind="radiomics").row(Image.from_array(array), plan())
    known = radiomics(array.astype(np.float32), np.ones(array.shape, bool), shape=False)
    assert np.allclose(row, list(known.values())) and len(row) == 120
    both = Features((4, 4), kind="both").row(Image.from_array(array), plan())
    assert np.array_equal(both[-120:], row) and len(both) == 16 + len(FIRST_ORDER) + 30 + 120
    assert Features((4, 4), kind="radiomics").pixels(plan()) == 0
    large = Image.from_array(np.random.default_rng(0).normal(size=(600, 300)))
    assert np.isfinite(Features((4, 4), kind="radiomics").row(large, plan())).all()


def test_radiomics_of_a_region_are_those_of_its_pixels_and_its_shape() -> None:
    rng = np.random.default_rng(0)
    array, mask = rng.normal(100, 10, (12, 14, 10)), np.zeros((12, 14, 10), np.uint8)
    mask[3:8, 4:11, 2:7] = 255
    image = Image.from_array(array, spacing=(2.0, 1.0, 1.0))
    features = Features((2, 2, 2), kind="radiomics", region="tumour")
    case = Case("a", {"image": image, "tumour": Image.from_array(mask)})
    row = features.of(case, plan(3))
    known = radiomics(array.astype(np.float32), mask > 0, spacing=(2.0, 1.0, 1.0))
    assert np.allclose(row, list(known.values())) and len(row) == 120 + 21
    assert not np.array_equal(row[:120], Features((2, 2, 2), kind="radiomics").of(case, plan(3)))


def test_a_region_that_is_not_there_is_not_answered() -> None:
    image = Image.from_array(np.random.default_rng(0).normal(size=(8, 8)))
    features = Features((2, 2), kind="radiomics", region="mask")
    with pytest.raises(NotFoundError, match="mask"):
        features.of(Case("a", {"image": image, "CT": image}), plan())
    empty = Case("a", {"image": image, "mask": Image.from_array(np.zeros((8, 8)))})
    found = features.of(empty, plan())
    assert isinstance(found, NotEvaluated) and "mask is empty" in found.reason
    with pytest.raises(InputError, match="another grid"):
        features.of(Case("a", {"image": image, "mask": Image.from_array(np.ones((8, 9)))}), plan())
