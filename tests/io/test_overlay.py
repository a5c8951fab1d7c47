from __future__ import annotations

import itertools

import numpy as np
import pytest

from isocenter.data import IGNORE, Attribution, Geometry, Image, Perturbation, Probabilities, Segmentation
from isocenter.errors import OutputError
from isocenter.io import overlay


def found(labels: np.ndarray, regions: int = 3) -> Segmentation:
    return Segmentation(labels, ("background", *(f"r{i}" for i in range(regions))), Geometry(labels.shape))


def test_outlines_keep_the_rim_and_drop_the_inside() -> None:
    labels = np.zeros((7, 7), np.uint8)
    labels[1:6, 1:6] = 2
    lines = overlay.outlines(labels)
    assert lines[3, 3] == 0
    assert (lines[1, 1:6] == 2).all() and (lines[1:6, 5] == 2).all()
    assert not lines[0].any()


def test_two_regions_that_touch_both_have_a_rim_and_borders_of_the_picture_too() -> None:
    labels = np.ones((4, 6), np.uint8)
    labels[:, 3:] = 2
    lines = overlay.outlines(labels)
    assert (lines[:, 2] == 1).all() and (lines[:, 3] == 2).all()
    assert (lines[0] > 0).all()


def test_values_of_any_range_become_grey_and_bytes_stay() -> None:
    small = np.asarray([[0, 7]], np.uint8)
    assert overlay.grey(small) is small
    hounsfield = np.linspace(-1000, 3000, 10_000).reshape(100, 100)
    assert (overlay.grey(hounsfield).min(), overlay.grey(hounsfield).max()) == (0, 255)
    assert overlay.grey(np.full((4, 4), 5.0)).max() == 0
    holed = np.asarray([[np.nan, np.inf], [1.0, -np.inf]])
    assert overlay.grey(holed).dtype == np.uint8


def test_each_region_has_its_colour_in_turn() -> None:
    labels = np.zeros((40, 40), np.uint8)
    labels[5:15, 5:15], labels[20:30, 20:30] = 1, 2
    image = Image.from_array(np.zeros((40, 40), np.uint8))
    picture = overlay.drawn(image, found(labels))
    colours = {tuple(c) for c in picture.reshape(-1, 3).tolist()}
    assert colours == {(0, 0, 0), overlay.PALETTE[0], overlay.PALETTE[1]}
    assert min(picture.shape[:2]) >= overlay.SIDE


def test_what_is_ignored_is_not_drawn() -> None:
    labels = np.zeros((20, 20), np.uint8)
    labels[5:10, 5:10] = IGNORE
    image = Image.from_array(np.full((20, 20), 9, np.uint8))
    assert np.unique(overlay.drawn(image, found(labels))).tolist() == [9]


def test_a_volume_shows_the_slice_with_most_of_it() -> None:
    labels = np.zeros((4, 20, 20), np.uint8)
    labels[1, 5:7, 5:7], labels[2, 5:15, 5:15] = 1, 1
    pixels = np.zeros((4, 20, 20), np.uint8)
    pixels[2] = 77
    picture = overlay.drawn(Image.from_array(pixels), found(labels))
    assert picture[0, 0].tolist() == [77, 77, 77]
    assert overlay.drawn(Image.from_array(pixels), found(labels), index=1)[0, 0].tolist() == [0, 0, 0]


def test_a_colour_picture_keeps_its_colours() -> None:
    array = np.zeros((3, 600, 600), np.uint8)
    array[0], array[2] = 200, 10
    picture = overlay.drawn(Image.from_array(array, axes="cyx"), found(np.zeros((600, 600), np.uint8)))
    assert picture[5, 5].tolist() == [200, 0, 10]
    assert picture.shape == (600, 600, 3)


def test_different_grids_and_films_are_refused() -> None:
    image = Image.from_array(np.zeros((5, 6), np.uint8))
    with pytest.raises(OutputError, match=r"different grids: got \(4, 6\), needed \(5, 6\)"):
        overlay.drawn(image, found(np.zeros((4, 6), np.uint8)))
    film = Image.from_array(np.zeros((3, 5, 6), np.uint8), axes="tyx")
    with pytest.raises(OutputError, match="a film"):
        overlay.drawn(film, found(np.zeros((5, 6), np.uint8)))


def test_heat_without_an_image_lies_on_white() -> None:
    values = np.zeros((4, 4), np.float32)
    values[1, 1] = 3.0
    picture = overlay.heat(Attribution(values, Geometry((4, 4)), "x", "m"), None)
    assert picture[0, 0].tolist() == [255, 255, 255]
    assert picture[1, 1].tolist() != [255, 255, 255]


def test_heat_of_nothing_is_the_image() -> None:
    image = Image.from_array(np.full((4, 4), 60, np.uint8))
    picture = overlay.heat(Attribution(np.zeros((4, 4)), Geometry((4, 4)), "x", "m"), image)
    assert np.unique(picture).tolist() == [60]


def test_the_palette_can_be_told_apart_without_green_cones() -> None:
    # Vienot, Brettel and Mollon 1999, "Digital video colourmaps for checking the legibility of displays by dichromats".
    to_lms = np.asarray([[17.8824, 43.5161, 4.11935], [3.45565, 27.1554, 3.86714], [0.0299566, 0.184309, 1.46709]])
    blind = np.asarray([[1, 0, 0], [0.494207, 0, 1.24827], [0, 0, 1]])
    seen = [np.linalg.inv(to_lms) @ blind @ to_lms @ np.asarray(c, float) for c in overlay.PALETTE]
    for a, b in itertools.combinations(seen, 2):
        assert np.linalg.norm(a - b) > 20


def changed(values: np.ndarray, span: tuple[float, float] = (0.0, 255.0)) -> Perturbation:
    same = Probabilities(("a", "b"), (0.9, 0.1))
    return Perturbation(values.astype(np.float32), Geometry(values.shape[1:]), same, same, same, "pgd", span=span)


def test_a_change_is_drawn_as_it_is_and_twenty_times_larger() -> None:
    image = Image.from_array(np.full((600, 600), 100, np.uint8))
    added = np.zeros((1, 600, 600))
    added[0, 10, 20], added[0, 30, 40] = 2, -2
    made = overlay.change(changed(added), image)
    assert made.shape == (600, 3 * 600 + 2 * 12, 3) and made.dtype == np.uint8
    one, two, three = made[:, :600, 0], made[:, 612:1212, 0], made[:, 1224:, 0]
    assert one[10, 20] == 102 and one[30, 40] == 98 and one[0, 0] == 100 and (two == 100).all()
    assert three[0, 0] == 128 and three[10, 20] == 128 + 40 and three[30, 40] == 128 - 40
    assert (made[:, 600:612] == 128).all()


def test_the_slice_that_changed_most_and_colours() -> None:
    volume = Image.from_array(np.zeros((3, 600, 600), np.int16), unit="HU")
    added = np.zeros((1, 3, 600, 600))
    added[0, 2] = 5.0
    made = overlay.change(changed(added, (-100.0, 100.0)), volume)
    assert made[0, -1, 0] == 255, "0.5 + 20 * 5 / 200 = 1"
    assert overlay.change(changed(added, (-100.0, 100.0)), volume, index=0)[0, -1, 0] == 128
    colour = Image.from_array(np.zeros((3, 600, 600), np.uint8), axes="cyx")
    red = np.zeros((3, 600, 600))
    red[0] = 3.0
    assert overlay.change(changed(red), colour)[0, -1].tolist() == [188, 128, 128]
    grey = overlay.change(changed(red[:1]), colour)
    assert grey[0, -1].tolist() == [188, 188, 188], "one change for all channels of a grey photograph"


def test_a_change_of_another_grid_and_of_a_film() -> None:
    with pytest.raises(OutputError, match="different grids"):
        overlay.change(changed(np.zeros((1, 4, 4))), Image.from_array(np.zeros((4, 5), np.uint8)))
    with pytest.raises(OutputError, match="film"):
        overlay.change(changed(np.zeros((1, 4, 4))), Image.from_array(np.zeros((2, 4, 4), np.uint8), axes="tyx"))
