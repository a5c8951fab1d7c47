"""Films frame by frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from isocenter.data import Boxes, Geometry, Image, Instances, Tracks
from isocenter.data.film import clock, frames_of, intensities
from isocenter.errors import GeometryError, InputError

GRID = Geometry((4, 5))


class Counted:
    """Pixels of a film whose frames can be read alone."""

    def __init__(self, array: np.ndarray) -> None:
        self.array, self.whole, self.alone = array, 0, 0

    def __call__(self) -> np.ndarray:
        self.whole += 1
        return self.array

    def piece(self, axis: str, index: int) -> np.ndarray | None:
        self.alone += 1
        return self.array[index] if axis == "t" else None


def test_each_frame_is_read_alone_where_it_can_be() -> None:
    array = np.arange(60).reshape(3, 4, 5)
    load = Counted(array)
    image = Image.from_array(array, axes="tyx").replaced(load)
    frames = [frame.pixels() for frame in frames_of(image)]
    assert np.array_equal(np.stack(frames), array) and (load.whole, load.alone) == (0, 3)
    reads = []
    plain = image.replaced(lambda: reads.append(1) or array)
    assert len([frame.pixels() for frame in frames_of(plain)]) == 3 and len(reads) == 1


def test_the_clock_counts_usual_distances() -> None:
    image = Image.from_array(np.zeros((4, 5, 6)), axes="tyx")
    assert clock(image).tolist() == [0, 1, 2, 3]
    assert clock(image.replaced(image.load, times=(5.0, 5.5, 6.0, 8.0))).tolist() == [0, 1, 2, 6]
    with pytest.raises(InputError, match="do not rise"):
        clock(image.replaced(image.load, times=(0.0, 0.0, 1.0, 2.0)))


class Streamed(Counted):
    """Pixels of a film that can be read in turn alone."""

    def each(self, axis: str) -> Iterator[np.ndarray] | None:
        return iter(self.array) if axis == "t" else None


def test_frames_in_turn_come_first() -> None:
    array = np.arange(60).reshape(3, 4, 5)
    load = Streamed(array)
    image = Image.from_array(array, axes="tyx").replaced(load)
    assert np.array_equal(np.stack([frame.pixels() for frame in frames_of(image)]), array)
    assert (load.whole, load.alone) == (0, 0)
    load.array = array[:2]
    with pytest.raises(InputError, match="ends before its last frame"):
        list(frames_of(image))
    with pytest.raises(InputError, match="single image"):
        next(frames_of(Image.from_array(array[0])))


def points(objects: Instances | Boxes | None, places: list[tuple[float, float]]) -> Tracks:
    return Tracks.of(np.arange(len(places)), np.ones(len(places)), np.asarray(places), GRID, length=3, objects=objects)


def test_intensities_of_masks_boxes_and_points() -> None:
    film = np.arange(60, dtype=np.uint8).reshape(3, 4, 5)
    image = Image.from_array(np.stack([film, 2 * film], 1), axes="tcyx")
    masks = Instances(np.asarray([[0, 0], [1, 1]]), (np.eye(2, dtype=bool), np.ones((1, 2), bool)),
                      np.zeros(2, int), ("object",), GRID)
    assert intensities(points(masks, [(0.5, 0.5), (1, 1.5)]), image).tolist() == [[3, 6], [26.5, 53]]
    boxes = Boxes(np.asarray([[[-0.5, -0.5], [1.5, 0.5]], [[9.0, 9.0], [11.0, 11.0]]]), np.zeros(2, int), ("o",), GRID)
    found = intensities(points(boxes, [(0.5, 0.0), (10.0, 10.0)]), image)
    assert found[0].tolist() == [2.5, 5] and np.isnan(found[1]).all()
    found = intensities(points(None, [(3.2, 3.6), (-1.0, 2.0), (1.0, 1.0)]), image)
    assert found[:, 0].tolist()[::2] == [19, 46] and np.isnan(found[1]).all()
    with pytest.raises(GeometryError, match="do not belong together"):
        intensities(replace(points(None, [(1.0, 1.0)]), length=2), image)
