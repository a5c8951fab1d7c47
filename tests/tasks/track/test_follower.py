"""Following through a stream of frames."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Boxes, Case, Geometry, Image, Instances, NotEvaluated, Segmentation
from isocenter.errors import GeometryError
from isocenter.ops.linking import Rules
from isocenter.tasks.track._follower import Follower, _middle, frame_case, frames_of, objects_of

GRID = Geometry.from_spacing((40, 50), (1.0, 0.5))


def boxes(*centres: tuple[float, float], scores: list[float] | None = None) -> Boxes:
    points = np.asarray(centres, float).reshape(-1, 2)
    edges = np.stack([points - 2, points + 2], axis=1)
    return Boxes(edges, np.zeros(len(points), np.int64), ("cell",), GRID,
                 None if scores is None else np.asarray(scores))


def test_a_stream_gives_numbers_at_once_and_tracks_at_any_time() -> None:
    follower = Follower(GRID, Rules(reach=8.0))
    assert follower.step(boxes((10, 10), (30, 30))).tolist() == [1, 2]
    assert follower.step(boxes((30, 31), (10, 11))).tolist() == [2, 1]
    early = follower.tracks()
    assert early.length == 2 and early.numbers.tolist() == [1, 1, 2, 2]
    assert follower.step(NotEvaluated("dark")).tolist() == []
    assert follower.step(boxes((11, 12))).tolist() == [1]
    tracks = follower.tracks((0.0, 0.5, 1.0, 1.5))
    assert tracks.length == 4 and tracks.seconds[-1] == 0.5 and tracks.spans() == {1: (0, 3), 2: (0, 1)}
    assert tracks.boxes().edges[2].mean(axis=0).tolist() == [11.0, 12.0]


def test_pixels_that_are_not_square_are_scaled() -> None:
    """Six pixels along y are twelve of the finer pixels along x."""
    for centre, number in (((16.0, 10.0), 2), ((10.0, 16.0), 1)):
        follower = Follower(GRID, Rules(reach=8.0))
        follower.step(boxes((10, 10)))
        assert follower.step(boxes(centre)).tolist() == [number]


def test_masks_and_boxes_together_become_boxes() -> None:
    labels = np.zeros((40, 50), np.uint8)
    labels[8:13, 8:13] = 1
    follower = Follower(GRID, Rules(reach=8.0))
    follower.step(Instances.from_label_map(labels, GRID))
    assert isinstance(follower.tracks().objects, Instances)
    follower.step(boxes((10, 11), scores=[0.9]))
    found = follower.tracks()
    assert isinstance(found.objects, Boxes) and found.objects.scores is None
    assert found.objects.edges[0].tolist() == [[7.5, 7.5], [12.5, 12.5]]


def test_regions_fall_apart_into_objects() -> None:
    labels = np.zeros((40, 50), np.uint8)
    labels[2:5, 2:5], labels[20:24, 30:34], labels[30:, :] = 1, 2, 255
    found = objects_of(Segmentation(labels, ("background", "a", "b"), GRID), GRID)
    assert isinstance(found, Instances) and found.areas.tolist() == [9, 16]


def test_frames_on_another_grid_are_refused() -> None:
    follower = Follower(Geometry((9, 9)))
    with pytest.raises(GeometryError, match="different grids"):
        follower.step(boxes((10, 10)))


def test_nothing_found_is_no_track() -> None:
    follower = Follower(GRID)
    assert len(follower.tracks()) == 0 and follower.tracks().length == 0
    follower.step(boxes())
    assert len(follower.tracks()) == 0 and follower.tracks().length == 1


def test_a_frame_asks_about_itself_alone() -> None:
    image = Image.from_array(np.zeros((4, 5, 6)), axes="tyx")
    case = Case("film", {"us": image}, load_truth=lambda: boxes(), load_given=lambda name: boxes())
    one = frame_case(case, next(frames_of(image)), 0)
    assert one.id == "film#frame0" and one.image().axes == "yx" and one.truth() is None
    assert isinstance(one.given("x"), NotEvaluated)


def test_of_a_late_daughter_the_tracks_know_more_than_the_stream() -> None:
    def squares(*corners: tuple[int, int], side: int = 6) -> Instances:
        labels = np.zeros((40, 50), np.uint8)
        for k, (y, x) in enumerate(corners, start=1):
            labels[y : y + 6, x : x + side] = k
        return Instances.from_label_map(labels, GRID)

    follower = Follower(GRID, Rules(reach=12.0))
    for found in [squares((15, 20), side=10)] * 3 + [squares((12, 22), side=5)] * 2:
        assert follower.step(found).tolist() == [1]
    assert follower.step(squares((12, 22), (19, 22), side=5)).tolist() == [2, 3]
    tracks = follower.tracks()
    assert tracks.spans() == {1: (0, 2), 2: (3, 5), 3: (5, 5)} and tracks.children() == {1: (2, 3)}


@pytest.mark.parametrize("shape", [(7, 9), (4, 6, 5)])
def test_the_middle_of_a_mask_is_the_mean_of_its_pixels(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    for _ in range(5):
        mask = rng.random(shape) < 0.3
        assert np.allclose(_middle(mask), np.argwhere(mask).mean(axis=0))
