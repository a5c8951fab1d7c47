"""What is said and shown of a registration holds for maps that are known."""

import numpy as np
import pytest
from scipy import ndimage

from isocenter.data import Image, NotEvaluated, Transform
from isocenter.data.findings.transform import Field
from isocenter.inspect.registering import alike, numbers, plane

SHAPE = (60, 80)


def texture(shape=SHAPE, seed=0):
    return (40 * ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 2)).astype(np.float32)


def shifted(image, by):
    rank = image.geometry.ndim
    matrix = np.eye(rank + 1)
    matrix[0, rank] = by
    return Transform.of_matrix(matrix, image.geometry, image.geometry)


def moved(by, *, spacing=None, shape=SHAPE):
    fixed = Image.from_array(texture(shape), spacing=spacing)
    moving = Image.from_array(np.roll(texture(shape), by, axis=-1), spacing=spacing)
    return fixed, moving


def test_likeness_is_that_of_its_definition():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=20_000), rng.normal(size=20_000)
    apart, own, bent = alike(a, b), alike(a, a), alike(a, np.abs(a - a.mean()))
    assert own == (1.0, pytest.approx(2.0))
    assert abs(apart[0]) < 0.03 and apart[1] == pytest.approx(1.0, abs=0.01)
    assert abs(bent[0]) < 0.05 and bent[1] > 1.5
    assert alike(a[:10], b[:10]) is None
    assert alike(a, np.ones_like(a)) is None


def test_likeness_does_not_look_at_what_is_no_number():
    a = np.random.default_rng(0).normal(size=500)
    b = np.where(np.arange(500) < 100, np.nan, a)
    assert alike(a, b)[0] == pytest.approx(1.0)


@pytest.mark.parametrize("spacing", [None, (0.5, 0.5)])
def test_the_right_map_makes_images_alike_and_its_numbers_are_the_metrics(spacing):
    fixed, moving = moved(6, spacing=spacing)
    step = 1.0 if spacing is None else 0.5
    row = numbers(shifted(fixed, 6 * step), fixed, moving)
    assert row["correlation after"] > 0.99 > 0.5 > row["correlation before"]
    assert row["mutual information after"] > row["mutual information before"]
    assert row["overlap %"] == pytest.approx(100 * 74 / 80, abs=1)
    assert row["folding %"] == 0
    assert row["inverse consistency " + ("px" if spacing is None else "mm")] == pytest.approx(0, abs=1e-9)


def test_folds_are_counted():
    fixed, moving = moved(0)
    at = np.indices(SHAPE).astype(float)
    field = Field(np.stack([np.abs(at[1] - 40) - at[1], 0 * at[0]]), fixed.geometry)
    assert numbers(Transform((field,), fixed.geometry, moving.geometry), fixed, moving)["folding %"] > 40


def test_images_without_overlap_say_so():
    fixed, moving = moved(0)
    row = numbers(shifted(fixed, 500), fixed, moving)
    assert (row["overlap %"], row["correlation after"]) == (0, None)
    assert row["correlation before"] == pytest.approx(1.0)


def test_a_plane_shows_the_moving_image_before_and_after():
    fixed, moving = moved(6)
    shown = plane(shifted(fixed, 6), fixed, moving, z=0)
    assert np.allclose(shown.after[:, :70], shown.fixed[:, :70], atol=1e-3)
    assert np.allclose(shown.before, moving.pixels(), atol=1e-3)
    assert shown.seen_before.all() and not shown.seen_after[:, 75:].any()
    assert shown.z is None


def test_a_plane_of_a_volume_is_one_slice_and_large_ones_are_thinned():
    fixed, moving = moved(0, shape=(5, 60, 80))
    shown = plane(shifted(fixed, 0), fixed, moving, z=3, side=40)
    assert shown.fixed.shape == (40, 40) and shown.z == 3
    assert shown.fixed[0, 0] == pytest.approx(fixed.pixels()[3, 0, 0], abs=1e-4)


def test_colours_stay_colours_and_no_answer_has_no_after():
    pixels = np.random.default_rng(0).integers(0, 255, (20, 30, 3)).astype(np.uint8)
    image = Image.from_array(np.moveaxis(pixels, -1, 0), axes="cyx")
    shown = plane(NotEvaluated("nothing in common"), image, image, z=0)
    assert np.array_equal(shown.fixed, pixels) and np.array_equal(shown.before, pixels)
    assert shown.after is None and not shown.seen_after.any()
