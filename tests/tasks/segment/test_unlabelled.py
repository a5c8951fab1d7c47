"""A lesion found without any label."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from isocenter.data import After, Before, Case, Image, NotEvaluated, Segmentation, as_settings, build
from isocenter.errors import RecipeError
from isocenter.simulate.ultrasound import ultrasound
from isocenter.tasks.segment.unlabelled import (
    DIRECTIONS,
    FINER,
    Found,
    Unlabelled,
    _area,
    _darkness,
    _evidence,
    _followed,
    _grid,
    _level,
    _points,
    _polar,
    _radii,
    _weights,
    _within,
    most_evident,
)

SHAPE = (112, 136)


@cache
def phantom(seed: int, lesions: int = 1) -> tuple[np.ndarray, np.ndarray]:
    pixels, labels = ultrasound(SHAPE, np.random.default_rng(seed), lesions=lesions)
    return pixels, labels == 1


def predicted(array: np.ndarray, method: Unlabelled | None = None, **image) -> np.ndarray:
    found = (method or Unlabelled()).predict(Case.of(Image.from_array(array, **image)))
    assert isinstance(found, Segmentation)
    return found.labels == 1


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


def circle(centre: tuple[float, float], radius: float, n: int = DIRECTIONS) -> np.ndarray:
    return _points(np.full((1, n), radius), np.array([centre]))[0]


def test_lesions_of_phantoms_are_found() -> None:
    dice = [overlap(predicted(image), mask) for image, mask in map(phantom, range(8))]
    assert np.mean(dice) > 0.85
    assert min(dice) > 0.7
    # What knows the place alone, and what knows the darkness alone.
    middle = np.zeros(SHAPE, bool)
    middle[40:72, 44:92] = True
    assert np.mean([overlap(middle, phantom(s)[1]) for s in range(8)]) < 0.4
    dark = [overlap(image < np.median(image) / 2, mask) for image, mask in map(phantom, range(8))]
    assert np.mean(dark) < 0.5


def test_depth_size_type_and_unit_do_not_matter() -> None:
    image, mask = phantom(1)
    found = predicted(image)
    assert overlap(found, mask) > 0.8
    assert np.array_equal(predicted(image.astype(np.uint16) * 257), found)
    assert overlap(predicted(image / 255.0 - 3.0), found) > 0.99
    assert overlap(predicted(np.kron(image, np.ones((3, 3), np.uint8))), np.kron(mask, np.ones((3, 3), bool))) > 0.8


def test_a_colour_picture_is_answered_like_its_grey_one() -> None:
    image, _ = phantom(2)
    colour = np.stack([image] * 3)
    found = predicted(colour, axes="cyx", channels=("red", "green", "blue"))
    assert np.array_equal(found, predicted(image))
    green = Unlabelled(before=Before(channel="green"))
    assert np.array_equal(predicted(colour, green, axes="cyx", channels=("red", "green", "blue")), found)


def test_pixels_that_are_not_square_are_seen_as_they_lie_in_space() -> None:
    image, mask = phantom(3)
    rows = np.repeat(image, 2, axis=0)
    found = predicted(rows, spacing=(0.5, 1.0))
    assert overlap(found, np.repeat(mask, 2, axis=0)) > 0.75
    assert overlap(found[::2], predicted(image, spacing=(1.0, 1.0))) > 0.85


def test_bright_lesions_are_found_when_asked_for() -> None:
    rng = np.random.default_rng(0)
    y, x = np.indices((90, 110))
    mask = np.hypot(y - 40, x - 60) < 14
    image = (60 + 60 * mask) * rng.gamma(9.0, 1 / 9, mask.shape)
    assert overlap(predicted(image, Unlabelled(bright=True)), mask) > 0.85
    assert overlap(predicted(image), mask) < 0.5


def test_of_two_like_lesions_the_one_in_the_middle_is_kept_unless_place_does_not_count() -> None:
    y, x = np.indices((100, 120))
    middle, corner = np.hypot(y - 42, x - 62) < 11, np.hypot(y - 80, x - 18) < 13
    image = 120.0 - 60 * middle - 80 * corner + np.random.default_rng(1).normal(0, 12, (100, 120))
    assert overlap(predicted(image), middle) > 0.8
    assert overlap(predicted(image, Unlabelled(placed=False)), corner) > 0.8


def test_one_region_without_holes_and_its_name() -> None:
    from scipy import ndimage

    image, _ = phantom(4)
    found = Unlabelled(name="lesion").predict(Case.of(Image.from_array(image)))
    assert found.names == ("background", "lesion")
    assert ndimage.label(found.labels)[1] == 1
    assert np.array_equal(ndimage.binary_fill_holes(found.labels), found.labels == 1)
    assert not predicted(image, Unlabelled(after=After(smallest=1e6))).any()


def test_an_image_without_a_lesion_gets_a_region_all_the_same_with_less_evidence() -> None:
    def evidence(seed: int, lesions: int) -> float:
        return most_evident(phantom(seed, lesions)[0].astype(np.float32), (1.0, 1.0)).evidence

    without, with_one = ([evidence(s, n) for s in range(4)] for n in (0, 1))
    assert np.mean(with_one) > np.mean(without) + 1
    assert 0 < predicted(phantom(0, 0)[0]).mean() < 0.6


def test_a_volume_is_followed_from_slice_to_slice() -> None:
    z, y, x = np.indices((9, 64, 72))
    ball = ((z - 4) * 4) ** 2 + (y - 28) ** 2 + (x - 36) ** 2 < 13**2
    image = (100 - 60 * ball) * np.random.default_rng(0).gamma(9.0, 1 / 9, ball.shape)
    found = predicted(image, spacing=(4.0, 1.0, 1.0))
    assert overlap(found, ball) > 0.8
    assert not found[0].any() or overlap(found[0], found[1]) >= 0.5


def test_slices_that_agree_go_on_and_others_end_it() -> None:
    here, there = Found(circle((20, 20), 8), 3.0), Found(circle((40, 40), 8), 2.0)
    mask = _followed([there, here._replace(evidence=1.0), here, None, here], np.zeros((5, 64, 64)))
    assert mask.any(axis=(1, 2)).tolist() == [False, True, True, False, False]
    assert abs(mask[2].sum() - np.pi * 64) < 20


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (7, 60), (60, 7), (2, 5, 40)])
def test_tiny_images_are_not_evaluated(shape: tuple[int, ...]) -> None:
    found = Unlabelled().predict(Case.of(Image.from_array(np.arange(float(np.prod(shape))).reshape(shape))))
    assert isinstance(found, NotEvaluated)
    assert "small" in found.reason


@pytest.mark.parametrize("shape", [(8, 8), (8, 200), (200, 8), (3, 9, 30)])
def test_small_and_narrow_images_are_answered(shape: tuple[int, ...]) -> None:
    assert predicted(np.random.default_rng(0).random(shape)).shape == shape


def test_nothing_to_see_is_not_evaluated() -> None:
    for value in (40.0, 0.0, np.nan, np.inf):
        assert isinstance(Unlabelled().predict(Case.of(Image.from_array(np.full((40, 50), value)))), NotEvaluated)
    board = np.indices((40, 50)).sum(0) % 2
    assert isinstance(Unlabelled().predict(Case.of(Image.from_array(board))), (Segmentation, NotEvaluated))


def test_some_values_that_are_no_numbers_are_borne() -> None:
    image, mask = phantom(5)
    image = image.astype(float)
    image[:4] = np.nan
    assert overlap(predicted(image), mask) > 0.7


def test_depth_is_given_back_by_half_where_it_darkens() -> None:
    depth = np.arange(60.0)[:, None] * np.ones((1, 40))
    falling = _level((200 - 2 * depth).astype(np.float32))
    assert np.allclose(np.diff(falling, axis=0), -1, atol=1e-3)
    assert abs(falling.mean() - (200 - 2 * depth).mean()) < 1e-2
    assert np.allclose(_level((50 + 2 * depth).astype(np.float32)), 50 + 2 * depth)


def test_grid_radii_and_weights() -> None:
    radii = _radii(3.0, 30.0, 1.1)
    assert np.allclose(radii[1:] / radii[:-1], 1.1)
    assert np.isclose(radii[5], 3.0)
    assert abs(radii[-5] / 30 - 1) < 0.06
    assert len(_radii(5.0, 2.0, 1.1)) == 10
    centres = _grid(np.array([40, 61]))
    assert centres.min() == 6
    assert centres[:, 0].max() < 34
    assert centres[:, 1].max() < 55
    assert len(_grid(np.array([8, 8]))) >= 1
    weights = _weights(8)
    assert weights.tolist() == [1, 0.5, 0.5, 0.5, 1, 1, 1, 1]


def test_outlines_in_polar_coordinates_and_back() -> None:
    outline = circle((20.0, 30.0), 7.0)
    assert abs(_area(outline) - np.pi * 49) < 2
    middle, radii = _polar(outline)
    assert np.allclose(middle, (20, 30))
    assert radii.shape == (FINER,)
    assert np.allclose(radii, 7, atol=0.05)
    assert _within(Found(outline, 0.0), (50, 60))[20, 30]
    assert not _within(None, (5, 6)).any()
    assert _within(Found(circle((3.2, 3.4), 0.1), 0.0), (8, 8)).sum() == 1


def test_evidence_grows_with_contrast_size_darkness_and_the_middle() -> None:
    shape = np.array([100, 100])
    small, large, aside = (circle(c, r)[None] for c, r in (((38, 50), 5), ((38, 50), 15), ((80, 10), 5)))
    contrast = np.array([0.8])

    def of(outline: np.ndarray, contrast: np.ndarray = contrast, placed: bool = True) -> float:
        return float(_evidence(contrast, outline, shape, placed=placed)[0])

    assert of(small) < of(large)
    assert of(small) < of(small, contrast + 0.2)
    assert of(small) > of(aside)
    assert np.isclose(of(small, placed=False), of(aside, placed=False))
    image = np.random.default_rng(0).random((100, 100)).astype(np.float32)
    image[30:46, 42:58] = -1
    dark, even = _darkness(image, np.full((2, DIRECTIONS), 6.0), np.array([[38.0, 50.0], [80.0, 20.0]]))
    assert dark > 3 > 1 > even > 0.4


def test_it_is_its_recipe() -> None:
    method = Unlabelled(bright=True, name="cyst")
    assert build(Unlabelled, as_settings(method)) == method
    assert Unlabelled.from_state(method.about, method.state()) == method
    for settings in ({"placed": "yes"}, {"before": {"spacing": [1.0, 1.0]}}, {"after": {"overlap": 0.5}}):
        with pytest.raises(RecipeError):
            build(Unlabelled, settings)
