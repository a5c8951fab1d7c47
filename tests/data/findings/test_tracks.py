"""Tracks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isocenter.data import Boxes, Geometry, Instances, Tracks
from isocenter.errors import LabelError

GRID = Geometry.from_spacing((20, 30), (0.5, 2.0))


def made(**fields: object) -> Tracks:
    """A mother of two frames, two daughters, and one that misses a frame."""
    frames = np.array([3, 2, 0, 1, 2, 3, 0, 2])
    numbers = np.array([3, 3, 1, 1, 2, 3 - 1, 7, 7])
    places = np.array([[9, 2], [9, 1], [5, 5], [5, 6], [4, 6], [4, 8], [0, 0], [6, 2]], float)
    tracks = Tracks.of(frames, numbers, places, GRID, length=4, times=(0.0, 1.0, 3.0, 4.0))
    return replace(tracks, parents=((2, 1), (3, 1)), **fields)  # type: ignore[arg-type]


def test_points_are_sorted_by_track_and_frame() -> None:
    tracks = made()
    assert tracks.numbers.tolist() == [1, 1, 2, 2, 3, 3, 7, 7]
    assert tracks.frames.tolist() == [0, 1, 2, 3, 2, 3, 0, 2]
    assert tracks.tracks.tolist() == [1, 2, 3, 7] and len(tracks) == 8
    assert tracks.spans() == {1: (0, 1), 2: (2, 3), 3: (2, 3), 7: (0, 2)}


def test_millimetres_and_seconds() -> None:
    tracks = made()
    assert (tracks.unit, tracks.time_unit) == ("mm", "s")
    assert tracks.points[1].tolist() == [2.5, 12.0]
    assert tracks.path_lengths().tolist() == [2.0, 4.0, 2.0, 5.0]
    assert tracks.mean_speeds().tolist() == [2.0, 4.0, 2.0, 5.0 / 3.0]
    assert tracks.displacements()[3].tolist() == [3.0, 4.0]
    assert np.allclose(tracks.directions()[3], [0.6, 0.8])


def test_pixels_and_frames_where_nothing_is_known() -> None:
    tracks = replace(made(), geometry=Geometry((20, 30)), times=None)
    assert (tracks.unit, tracks.time_unit) == ("px", "frame")
    assert tracks.mean_speeds().tolist() == [1.0, 2.0, 1.0, np.hypot(6, 2) / 2]


def test_a_single_point_has_no_speed_and_no_direction() -> None:
    one = made().frame(0).track(7)
    assert one.path_lengths().tolist() == [0.0]
    assert np.isnan(one.mean_speeds()).all() and np.isnan(one.directions()).all()


def test_mean_square_displacement_is_in_square_millimetres() -> None:
    means, pairs = made().mean_square_displacement(2)
    assert pairs.tolist() == [3, 1] and means.tolist() == [(4 + 16 + 4) / 3, 25.0]


def test_lineage() -> None:
    tracks = made()
    assert tracks.children() == {1: (2, 3)}
    assert tracks.generations() == {1: 0, 2: 1, 3: 1, 7: 0}


def test_objects_go_with_their_points() -> None:
    frames, numbers, places = np.array([1, 0]), np.array([1, 1]), np.array([[8.0, 8.0], [4.0, 4.0]])
    edges = np.stack([places - 1, places + 1], axis=1)
    boxes = Boxes(edges, np.zeros(2, np.int64), ("cell",), GRID)
    tracks = Tracks.of(frames, numbers, places, GRID, length=2, objects=boxes)
    assert tracks.boxes().edges[0, 0].tolist() == [3.0, 3.0]
    assert tracks.frame(1).boxes().edges[0, 0].tolist() == [7.0, 7.0]
    labels = np.zeros((20, 30), np.uint8)
    labels[2:4, 5:8] = 1
    held = replace(tracks.frame(1), objects=Instances.from_label_map(labels, GRID))
    assert held.boxes().edges[0].tolist() == [[1.5, 4.5], [3.5, 7.5]]
    assert made().boxes() is None


def test_no_track_at_all() -> None:
    nothing = Tracks.none(GRID, 3)
    assert len(nothing) == 0 and nothing.spans() == {} and nothing.generations() == {}
    assert nothing.path_lengths().shape == nothing.mean_speeds().shape == (0,)
    assert nothing.directions().shape == (0, 2)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"numbers": np.array([1, 1])}, "do not fit"),
        ({"frames": np.array([0, 1, 2, 9, 2, 3, 0, 2])}, "outside the film"),
        ({"numbers": np.array([0, 1, 2, 2, 3, 3, 7, 7])}, "no number"),
        ({"frames": np.array([0, 0, 2, 3, 2, 3, 0, 2])}, "twice in one frame"),
        ({"times": (0.0, 2.0, 1.0, 3.0)}, "times do not fit"),
        ({"times": (0.0, 1.0)}, "times do not fit"),
        ({"parents": ((1, 2),)}, "does not follow"),
        ({"parents": ((2, 9),)}, "does not follow"),
        ({"parents": ((2, 1), (2, 7))}, "does not follow|two parents"),
        ({"merges": ((1, 9),)}, "merged track"),
        ({"objects": Boxes.none(("cell",), GRID)}, "differ in number"),
    ],
)
def test_what_contradicts_itself_is_refused(fields: dict[str, object], words: str) -> None:
    with pytest.raises(LabelError, match=words):
        replace(made(), **fields)  # type: ignore[arg-type]
