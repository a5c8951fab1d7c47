"""Films with their tracks in reports."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isocenter.data import Case, Image, NotEvaluated, Tracks
from isocenter.errors import GeometryError
from isocenter.simulate.film import Course, drawn, film
from isocenter.verbs._pictures import picture
from isocenter.verbs._track_pictures import GAP, counts, strip, tracks_picture


def cells() -> tuple[Image, Tracks]:
    rng = np.random.default_rng(2)
    return drawn(film((64, 80), rng, Course(4, 7, 1.5, dividing=0.25)), rng)


def test_a_strip_goes_from_the_first_frame_to_the_last() -> None:
    image, tracks = cells()
    shown = strip(tracks, Case.of(image), count=5, side=512)
    assert shown.shape == (384, 5 * 480 + 4 * GAP, 3)
    first = strip(tracks, Case.of(image), count=1, side=512)
    assert np.array_equal(shown[:, :480], first) and not np.array_equal(shown[:, -480:], first)
    one = Image.from_array(np.zeros((1, 64, 80), np.uint8), axes="tyx")
    assert strip(Tracks.none(one.geometry, 1), Case.of(one), count=5, side=512).shape == (384, 480, 3)


def test_truth_lies_below_the_answer() -> None:
    image, tracks = cells()
    alone = tracks_picture(Case.of(image), tracks)
    case = replace(Case.of(image), load_truth=lambda: tracks)
    both = picture(case, replace(tracks, parents=()))
    assert both is not None and both.image.shape[0] == 2 * alone.image.shape[0] + GAP
    assert both.text == f"above: answer, {counts(tracks).split(',')[0]}, 0 divisions; below: truth, {counts(tracks)}"
    assert alone.text == counts(tracks) and both.case == case.id
    # No answer is no picture, as of other films.
    assert picture(case, NotEvaluated("dark")) is None


def test_another_film_is_refused() -> None:
    image, tracks = cells()
    with pytest.raises(GeometryError):
        tracks_picture(Case.of(image), replace(tracks, length=9))
