"""The points of a region through a film whose motion is known."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from isocenter.data import Boxes, Case, Geometry, Image, Instances, NotEvaluated, Segmentation, Tracks
from isocenter.errors import InputError, RecipeError
from isocenter.simulate.motion import Motion, moving_speckle
from isocenter.tasks.track._follower import frames_of
from isocenter.tasks.track.flow import Carried, Flow

SHAPE, BOX = (64, 72), (16, 16, 48, 56)
MOTION = Motion(shift=(2.0, -2.5), stretch=((-0.05, 0.0), (0.0, 0.04)), frames=6)
GEOMETRY = Geometry(SHAPE)


@cache
def film() -> Image:
    return moving_speckle(SHAPE, np.random.default_rng(0), MOTION, fresh=0.02)


def answers(found: object) -> object:
    """A detector that answers what it holds."""
    return type("Finds", (), {"predict": lambda self, case: found})()


def test_points_of_a_box_are_carried() -> None:
    found = Flow(at=BOX).predict(Case.of(film()))
    assert isinstance(found, Tracks) and found.objects is None and found.times == film().times and found.length == 6
    start = found.frame(0)
    assert len(start) == 4 * 5 and start.positions.min(axis=0).tolist() == [19, 19]
    middle = (np.array(SHAPE) - 1) / 2
    for t in range(1, 6):
        here = found.frame(t)
        before = start.positions[np.searchsorted(start.numbers, here.numbers)]
        error = np.linalg.norm(here.positions - MOTION.carried(before, middle, t), axis=1)
        assert len(here) >= 18 and np.median(error) < 0.2 and error.max() < 1.0
    again = Flow(at=BOX).predict(Case.of(film()))
    assert np.array_equal(again.positions, found.positions)


def test_a_stream_says_the_same_and_how_long_it_took() -> None:
    frames = list(frames_of(film()))
    stream = Flow(at=BOX).stream(frames[0])
    for frame in frames[1:]:
        places, seen = stream.step(frame)
    assert places.shape == (20, 2) and seen.dtype == bool
    assert np.array_equal(stream.tracks().positions, Flow(at=BOX).predict(Case.of(film())).positions)
    table = stream.evidence()
    assert table["frame"].tolist() == list(range(6)) and (table["seen"] > 0.8).all() and (table["ms"][1:] > 0).all()


def test_the_whole_frame_or_what_a_detector_finds() -> None:
    first = next(frames_of(film()))
    assert len(Flow(spacing=16).stream(first).points) == 4 * 5
    labels = np.zeros(SHAPE, np.uint8)
    labels[20:40, 20:40] = 1
    edges = np.array([[[19.5, 19.5], [39.5, 39.5]]])
    for found in (Segmentation(labels, ("background", "wall"), GEOMETRY), Instances.from_label_map(labels, GEOMETRY),
                  Boxes(edges, np.zeros(1, int), ("object",), GEOMETRY)):
        points = Flow(detector=answers(found), spacing=4).stream(first).points
        assert points.min() >= 20 and points.max() < 40 and len(points) == 25
    dark = Flow(detector=answers(NotEvaluated("too dark"))).predict(Case.of(film()))
    assert isinstance(dark, NotEvaluated) and dark.reason == "too dark"


def test_a_dark_frame_is_lived_through_and_said() -> None:
    pixels = film().pixels().copy()
    pixels[2] = 0
    found = Flow(at=BOX).predict(Case.of(film().replaced(lambda: pixels)))
    assert not len(found.frame(2)) and len(found.frame(3)) >= 15


def test_bad_films_and_regions() -> None:
    case = Case.of(film())
    assert "outside" in Flow(at=(200, 1, 210, 9)).predict(case).reason
    assert "too small" in Flow(at=(20, 20, 22, 22)).predict(case).reason
    even = Case.of(Image.from_array(np.full((3, 20, 20), 7.0), axes="tyx"))
    assert isinstance(Flow().predict(even), NotEvaluated)
    assert "NaN" in Flow().predict(Case.of(Image.from_array(np.full((3, 9, 9), np.nan), axes="tyx"))).reason
    one = Flow(at=BOX).predict(Case.of(Image.from_array(film().pixels()[:1], axes="tyx")))
    assert one.length == 1 and len(one) == 20
    first = next(frames_of(film()))
    with pytest.raises(InputError, match="single image"):
        Flow().predict(Case.of(first))
    with pytest.raises(RecipeError, match="too small"):
        Flow(at=(20, 20, 22, 22)).stream(first)
    with pytest.raises(RecipeError, match="what is to be followed"):
        Flow(at=BOX, detector=answers(None)).predict(case)
    with pytest.raises(RecipeError, match="does not answer"):
        Flow(detector=object()).predict(case)
    stream = Flow(at=BOX).stream(first)
    assert isinstance(stream, Carried)
    with pytest.raises(InputError, match="different grids"):
        stream.step(Image.from_array(np.zeros((9, 9))))


def test_volumes() -> None:
    pixels = np.random.default_rng(0).normal(size=(1, 16, 20, 20))
    still = Image.from_array(np.repeat(pixels, 2, axis=0), axes="tzyx")
    found = Flow(spacing=8, window=2.0).predict(Case.of(still))
    assert found.positions.shape[1] == 3 and np.ptp(found.positions[found.numbers == 1], axis=0).max() < 1e-3
