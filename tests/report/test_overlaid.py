"""Checkerboards, differences and blinks show what lies where."""

import io

import numpy as np
import pytest
from PIL import Image

from isocenter.report.overlaid import BLINK, DRAWN, Links, Overlaid, blink_gif, checkerboard, difference, panels


def ramp(shape=(32, 48)):
    return np.arange(np.prod(shape), dtype=np.float64).reshape(shape)


def test_fields_of_a_checkerboard_come_from_the_two_in_turn():
    first, second = np.full((16, 16), 10, np.uint8), ramp((16, 16))
    shown = checkerboard(np.stack([first] * 3, -1), np.stack([np.full((16, 16), 200, np.uint8)] * 3, -1), fields=2)
    assert (shown[:8, :8] == 10).all() and (shown[8:, 8:] == 10).all()
    assert (shown[:8, 8:] == 200).all() and (shown[8:, :8] == 200).all()
    assert checkerboard(np.stack([first] * 3, -1), second).shape == (16, 16)


def test_alike_is_black_whatever_the_gain_and_the_sides_have_their_colours():
    a = ramp()
    assert difference(a, 3 * a + 7).max() == 0
    spot = a * 0
    spot[4:8, 4:8] = 1
    hue = difference(spot, spot[::-1, ::-1])
    assert hue[5, 5, 0] > hue[5, 5, 2]
    assert hue[-6, -6, 2] > hue[-6, -6, 0]
    assert not difference(spot, np.zeros_like(spot))[0, 0].max() > 200


def test_where_the_moving_image_does_not_reach_is_grey():
    seen = np.ones((32, 48), bool)
    seen[:, 40:] = False
    shown = difference(ramp(), ramp(), seen)
    assert (shown[:, 40:] == 40).all() and (shown[:, :40] == 0).all()


def test_the_blink_is_two_frames_for_ever():
    film = Image.open(io.BytesIO(blink_gif(ramp((400, 1000)), 5 - ramp((400, 1000)), side=200)))
    assert (film.n_frames, film.info["loop"], film.info["duration"], film.size) == (2, 0, BLINK, (200, 80))
    first = np.asarray(film.convert("L"), int)
    film.seek(1)
    assert first[0, 0] < 60 and np.asarray(film.convert("L"))[0, 0] > 190


def linked(n, good):
    at = np.random.default_rng(0).random((n, 2)) * 30
    flags = np.arange(n) < good
    return Links(ramp(), (1.0, 1.0), at, at + 1, flags)


def test_every_picture_of_a_pair_is_there_and_pairs_of_points_are_green_and_red():
    shown = Overlaid(ramp(), before=ramp()[::-1], after=ramp(), links=linked(9, 6), case="p1")
    drawn = dict(panels(shown, label="Worst"))
    assert list(drawn)[:4] == ["before: difference", "after: difference", "after: checkerboard",
                               "after: the two in turn"]
    assert 'class="blink"' in drawn["after: the two in turn"]
    words, ties = next((k, v) for k, v in drawn.items() if k.startswith("pairs"))
    assert "6 of 9 agree" in words and "3 do not" in words
    agree = ties.split('class="agree"')[0], ties.split('class="stray"')
    assert ties.count('class="tie"') == 9
    assert 'class="agree"' in ties and len(agree[1]) == 2


def test_of_many_pairs_of_points_some_are_drawn_and_that_is_said():
    shown = Overlaid(ramp(), before=ramp(), after=ramp(), links=linked(500, 450))
    words, ties = panels(shown)[-1]
    assert ties.count('class="tie"') == DRAWN + 50
    assert f"{DRAWN} of either kind drawn" in words


def test_without_an_answer_the_images_are_shown_as_they_are():
    drawn = dict(panels(Overlaid(ramp(), before=ramp())))
    assert list(drawn) == ["as they are: checkerboard", "before: difference"]


def test_colour_and_grey_meet_in_grey_and_small_pictures_stay_small():
    colour = np.random.default_rng(0).integers(0, 255, (20, 30, 3)).astype(np.uint8)
    grey = colour.mean(2)
    assert checkerboard(colour, grey).ndim == 2
    film = Image.open(io.BytesIO(blink_gif(colour, grey)))
    assert film.size == (30, 20)
    assert difference(colour, grey).max() < 80


def test_flat_pictures_have_no_difference_and_no_division_by_zero():
    flat = np.full((8, 8), 3.0)
    assert difference(flat, flat).max() == 0
    assert difference(flat, flat, np.zeros((8, 8), bool)).max() == 40
    assert checkerboard(flat, flat).shape == (8, 8)


def test_lines_end_where_the_points_are():
    at = np.array([[0.0, 0.0], [31.0, 47.0]])
    shown = Overlaid(ramp(), before=ramp(), after=ramp(), links=Links(ramp(), None, at, at, np.array([True, True])))
    _, drawn = panels(shown, side=300)[-1]
    first, last = [d.split('"')[0] for d in drawn.split('<path d="')[1:]]
    xs = [float(p.split(",")[0]) for d in (first, last) for p in d.removeprefix("M").split(" ")]
    assert xs[0] < 5 and xs[1] - xs[0] == pytest.approx(xs[3] - xs[2], abs=0.5)
    assert xs[2] > xs[0] and xs[3] > xs[1]


def test_panels_are_named_for_people_who_cannot_see_them():
    for words, drawn in panels(Overlaid(ramp(), before=ramp(), after=ramp(), case="x"), label="Best abc"):
        assert f'aria-label="Best abc: {words}"' in drawn
