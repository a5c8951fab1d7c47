"""Pictures: windows, slices, outlines where the pixels are, small files."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image as Pillow

from isocenter.errors import InputError
from isocenter.report import Explanation, Picture, pick_slice
from isocenter.report.figures import (
    AGREED,
    ANSWER,
    FOR,
    TRUTH,
    Canvas,
    areas,
    data_uri,
    explained,
    heat,
    jpeg,
    layers,
    mean_width,
    outline,
    png,
    windowed,
)


def opened(data: bytes) -> np.ndarray:
    return np.asarray(Pillow.open(io.BytesIO(data)))


def square(size: int = 40, low: int = 10, high: int = 30) -> np.ndarray:
    mask = np.zeros((size, size), np.uint8)
    mask[low:high, low:high] = 1
    return mask


def corners(path: str) -> np.ndarray:
    return np.array([[float(v) for v in p.split(",")] for p in re.findall(r"[-\d.]+,[-\d.]+", path)])


def test_windows_clip_the_tails_and_leave_colours_alone() -> None:
    image = np.linspace(-1000, 1000, 10000).reshape(100, 100)
    image[0, 0] = 1e9
    out = windowed(image)
    assert out.dtype == np.uint8
    assert (out.min(), out.max()) == (0, 255)
    assert 120 < out[50, 0] < 136
    colours = np.random.default_rng(0).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    assert windowed(colours) is colours


@pytest.mark.parametrize(
    "image", [np.full((4, 4), 7.0), np.full((4, 4), np.nan), np.zeros((4, 4), bool), np.array([[np.inf, 1.0]])]
)
def test_windows_of_nothing_are_dark_and_not_an_error(image: np.ndarray) -> None:
    assert windowed(image).shape == image.shape


@pytest.mark.parametrize("shape", [(3,), (2, 3, 4), (2, 3, 4, 5), (0, 4)])
def test_what_is_no_picture_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="not a picture"):
        windowed(np.zeros(shape))


def test_the_slice_with_most_truth_is_picked_then_most_answer_then_most_spread() -> None:
    image = np.zeros((5, 8, 8))
    image[4] = np.arange(64).reshape(8, 8)
    truth, answer = np.zeros((5, 8, 8), np.uint8), np.zeros((5, 8, 8), np.uint8)
    assert pick_slice(image) == 4
    answer[3, :2] = 1
    assert pick_slice(image, truth, answer) == 3
    truth[1, :1], truth[2] = 2, 255
    assert pick_slice(image, truth, answer) == 1
    assert pick_slice(np.full((3, 4, 4), np.nan)) == 0


def test_png_is_exact_and_both_formats_shrink() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (30, 50), dtype=np.uint8)
    assert np.array_equal(opened(png(pixels)), pixels)
    assert opened(png(pixels, side=25)).shape == (15, 25)
    assert opened(jpeg(np.repeat(pixels[..., None], 3, 2), side=25)).shape == (15, 25, 3)


def test_noise_that_is_too_large_for_png_becomes_jpeg() -> None:
    noise = np.random.default_rng(2).integers(0, 256, (400, 400), dtype=np.uint8)
    assert data_uri(noise[:50, :50], side=400).startswith("data:image/png;base64,")
    uri = data_uri(noise, side=400)
    assert uri.startswith("data:image/jpeg;base64,")
    assert len(base64.b64decode(uri.split(",")[1])) < len(png(noise))


def test_a_canvas_has_the_shape_of_the_body_not_of_the_grid() -> None:
    canvas = Canvas.of((50, 100), (4.0, 1.0), 320)
    assert (canvas.width, canvas.height) == (160, 320)
    assert Canvas.of((1, 100), None, 320).height == 40


def test_an_outline_runs_along_pixel_edges() -> None:
    canvas = Canvas.of((40, 40), None, 400)
    found = corners(outline(square() > 0, canvas))
    assert np.allclose(found.min(axis=0), 100, atol=1.0)
    assert np.allclose(found.max(axis=0), 300, atol=1.0)


def test_an_outline_at_the_border_is_closed_and_respects_spacing() -> None:
    canvas = Canvas.of((20, 20), (2.0, 1.0), 400)
    found = corners(outline(np.ones((20, 20), bool), canvas))
    assert np.allclose(found.max(axis=0), (200, 400), atol=11)
    assert outline(np.zeros((20, 20), bool), canvas) == ""


def test_large_masks_give_short_paths() -> None:
    y, x = np.mgrid[:2000, :2000]
    disc = (y - 1000) ** 2 + (x - 1000) ** 2 < 700**2
    path = outline(disc, Canvas.of(disc.shape, None, 320))
    assert len(path) < 4000
    assert np.allclose(np.linalg.norm(corners(path) - 160, axis=1), 112, atol=1.0)


def test_holes_and_islands_have_their_own_lines() -> None:
    ring = square(40, 5, 35) - square(40, 15, 25)
    assert outline(ring > 0, Canvas.of((40, 40), None, 400)).count("Z") == 2


def test_areas_say_right_missed_extra_and_ignored() -> None:
    truth = np.array([[1, 1, 0, 0, 255, 2]], np.uint8)
    answer = np.array([[1, 0, 1, 0, 1, 1]], np.uint8)
    out = areas(truth, answer)[0]
    assert [tuple(v[:3]) for v in out[:3]] == [AGREED, TRUTH, ANSWER]
    assert out[3, 3] == 0
    assert len({tuple(v) for v in out}) == 6


def test_thin_regions_are_shown_as_areas_and_broad_ones_as_lines() -> None:
    image = np.random.default_rng(0).normal(size=(60, 60))
    vessel = np.zeros((60, 60), np.uint8)
    vessel[::6] = 1
    canvas = Canvas.of((60, 60), None, 60)
    assert mean_width(vessel > 0, canvas) < mean_width(square(60, 10, 50) > 0, canvas)
    assert mean_width(np.zeros((60, 60), bool), canvas) == float("inf")
    thin = layers(Picture(image, vessel, vessel, ("background", "vessel")), side=60)
    broad = layers(Picture(image, square(60), square(60), ("background", "lung")), side=60)
    assert 'class="areas"' in thin and "rim" not in thin
    assert 'class="areas"' not in broad and broad.count('class="rim"') == 2


def test_ignored_pixels_have_no_outline_and_names_are_escaped() -> None:
    truth = square()
    truth[:5] = 255
    drawn = layers(Picture(np.zeros((40, 40)), truth, None, ("background", "<b>肺</b>")))
    assert drawn.count('class="rim"') == 1
    assert "<title>&lt;b&gt;肺&lt;/b&gt;</title>" in drawn


def test_other_grids_are_refused() -> None:
    with pytest.raises(InputError, match="another grid"):
        layers(Picture(np.zeros((4, 4)), np.zeros((4, 5), np.uint8)))
    with pytest.raises(InputError, match="another grid"):
        explained(Explanation(np.zeros((4, 4)), np.zeros((5, 4)), "lung", "grad-cam"))


def test_heat_is_signed_and_strongest_where_it_matters() -> None:
    values = np.zeros((10, 10))
    values[2, 3], values[7, 7] = 4.0, -2.0
    out = heat(values)
    assert tuple(out[2, 3, :3]) == FOR
    assert out[2, 3, 3] > out[7, 7, 3] > out[0, 0, 3] == 0
    assert tuple(out[7, 7, :3]) != FOR
    assert heat(np.zeros((3, 3)))[..., 3].max() == 0


def test_pictures_are_the_same_bytes_each_time() -> None:
    image = np.random.default_rng(5).normal(size=(64, 64))
    shown = Picture(image, square(64), square(64, 12, 33), ("background", "lung"))
    assert layers(shown, detail=1.0) == layers(shown, detail=1.0)
