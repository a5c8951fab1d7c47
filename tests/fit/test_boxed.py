from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from isocenter.data import Spatial
from isocenter.fit.augment import Pose, drawn, positions, sampled
from isocenter.fit.boxed import LEFT_OUT, PADDING, padded_rows, posed

GRID = (40, 60)
MIDDLE = np.array([19.5, 29.5])


def rows(*boxes: list[float]) -> np.ndarray:
    return np.array(boxes, np.float32).reshape(-1, 5)


def plain(patch: tuple[int, int] = GRID, centre: np.ndarray = MIDDLE) -> Pose:
    return Pose(centre, np.eye(2))


def inner(found: np.ndarray, kind: int) -> list[list[float]]:
    return [row[:4].tolist() for row in found if row[4] == kind]


def test_a_plain_cut_keeps_boxes() -> None:
    box = [9.5, 19.5, 19.5, 39.5, 1]
    assert posed(rows(box), plain(), GRID, GRID).tolist() == [box]
    assert posed(rows(), plain(), GRID, GRID).shape == (0, 5)


def test_flips_and_sizes() -> None:
    flipped = posed(rows([9.5, 19.5, 19.5, 39.5, 0]), Pose(MIDDLE, np.diag([1.0, -1.0])), GRID, GRID)
    assert flipped.tolist() == [[9.5, 19.5, 19.5, 39.5, 0]]
    moved = posed(rows([9.5, 9.5, 19.5, 19.5, 0]), Pose(MIDDLE, np.diag([-1.0, -1.0])), GRID, GRID)
    assert moved.tolist() == [[19.5, 39.5, 29.5, 49.5, 0]]
    # A matrix of one half shows half the image twice as large.
    double = posed(rows([14.5, 24.5, 24.5, 34.5, 2]), Pose(MIDDLE, np.eye(2) / 2), GRID, GRID)
    assert double.tolist() == [[9.5, 19.5, 29.5, 39.5, 2]]


def test_boxes_that_are_cut_are_clipped_left_out_or_dropped() -> None:
    pose = Pose(np.array([29.5, 29.5]), np.eye(2))
    found = posed(rows([0.5, 4.5, 18.5, 22.5, 1], [14, 30, 24, 40, 1], [2, 40, 10.5, 50, 1]), pose, (20, 60), GRID)
    # The patch shows rows 20 to 39 (19.5 to 39.5).
    assert inner(found, 1) == [[-0.5, 30.0, 4.0, 40.0]]
    few = posed(rows([4.5, 4.5, 22.5, 22.5, 1]), pose, (20, 60), GRID)
    assert inner(few, LEFT_OUT) == [[-0.5, 4.5, 2.5, 22.5]]


def test_what_the_patch_shows_mirrored_has_boxes_too() -> None:
    # The patch begins 10 pixels above the image.
    pose = Pose(MIDDLE - [10, 0], np.eye(2))
    found = posed(rows([1.5, 9.5, 6.5, 19.5, 1]), pose, GRID, GRID)
    assert sorted(inner(found, 1)) == [[2.5, 9.5, 7.5, 19.5], [11.5, 9.5, 16.5, 19.5]]


def test_a_box_at_the_edge_becomes_one_with_its_mirror_image() -> None:
    pose = Pose(MIDDLE - [10, 0], np.eye(2))
    found = posed(rows([-0.5, 9.5, 6.5, 19.5, 1]), pose, GRID, GRID)
    assert inner(found, 1) == [[2.5, 9.5, 16.5, 19.5]]


@pytest.mark.parametrize("rank", [2, 3])
def test_boxes_stay_on_their_objects_however_the_patch_lies(rank: int) -> None:
    rng = np.random.default_rng(0)
    grid, patch = (28, 32, 36)[:rank], (32, 32, 32)[:rank]
    spatial = Spatial((0.0, 0.0), (-0.2, 0.2), (0.6, 1.6), (0.0, 0.0), ("y", "x"), 0.0)
    compared = 0
    for _ in range(30):
        low = rng.integers(4, 12, rank)
        high = low + rng.integers(6, 12, rank)
        image = np.zeros((1, *grid), np.float32)
        image[(0, *(slice(a, b) for a, b in zip(low, high, strict=True)))] = 1.0
        box = np.concatenate((low - 0.5, high - 0.5, [0])).astype(np.float32)[None]
        pose = drawn(rng, spatial, patch, np.asarray(grid) / 2 - 0.5)
        seen = sampled(image, positions(pose, patch))[0] > 0.5
        covered = np.zeros(patch, bool)
        for row in posed(box, pose, patch, grid):
            where = tuple(
                slice(max(0, int(np.ceil(a))), int(np.floor(b)) + 1)
                for a, b in zip(row[:rank], row[rank : 2 * rank], strict=True)
            )
            covered[where] = True
        extra = np.count_nonzero(covered & ~seen)
        # Only slivers of two pixels have no box.
        numbered, _ = ndimage.label(seen & ~covered, np.ones((3,) * rank))
        assert all(min(s.stop - s.start for s in part) <= 2 for part in ndimage.find_objects(numbered))
        assert extra <= 0.35 * max(1, covered.sum())
        compared += int(covered.any())
    assert compared > 20


def test_a_turned_box_becomes_the_box_around_it() -> None:
    angle = np.pi / 4
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    found = posed(rows([14.5, 24.5, 24.5, 34.5, 0]), Pose(MIDDLE, matrix), GRID, GRID)
    side = 10 * np.sqrt(2)
    assert np.allclose(found[0, 2:4] - found[0, :2], side, atol=1e-4)


def test_batches_are_filled_up() -> None:
    found = padded_rows([rows([1, 2, 3, 4, 1], [5, 6, 7, 8, LEFT_OUT]), rows()])
    assert found.shape == (2, 2, 5)
    assert found[0, :, 4].tolist() == [1, LEFT_OUT]
    assert found[1, :, 4].tolist() == [PADDING, PADDING]
    assert padded_rows([rows()])[0, :, 4].tolist() == [PADDING]
