from __future__ import annotations

import numpy as np
import pytest

from isocenter.ops.components import at_rim, filled, largest, parts, tidied, without_small


@pytest.fixture
def scene():
    """Label 1: a ring of 16 around a hole, and a speck; label 2: two bars, and one pixel inside the ring."""
    labels = np.zeros((20, 20), np.uint8)
    labels[2:7, 2:7] = 1
    labels[3:6, 3:6] = 0
    labels[4, 4] = 2
    labels[15, 15] = 1
    labels[10, 0:6] = 2
    labels[12, 0:4] = 2
    labels[19, 19] = 255
    return labels


def test_nothing_asked_returns_the_same(scene):
    assert tidied(scene) is scene


def test_largest_part_of_each_region(scene):
    out = tidied(scene, keep_largest=True)
    assert (out == 1).sum() == 16 and out[15, 15] == 0
    assert (out == 2).sum() == 6 and out[12].max() == 0 and out[4, 4] == 0
    assert out[19, 19] == 255 and scene[15, 15] == 1


def test_small_parts_go_and_the_limit_stays(scene):
    out = tidied(scene, smallest=4)
    assert out[15, 15] == 0 and out[4, 4] == 0
    assert (out == 2).sum() == 10, "a part of exactly the limit stays"
    assert (tidied(scene, smallest=5) == 2).sum() == 6


def test_holes_are_filled_but_other_regions_inside_stay(scene):
    out = tidied(scene, fill=True)
    assert (out[2:7, 2:7] == 1).sum() == 24 and out[4, 4] == 2
    assert out[11].max() == 0


def test_in_three_dimensions_diagonal_neighbours_are_one_part():
    mask = np.zeros((4, 4, 4), bool)
    mask[0, 0, 0] = mask[1, 1, 1] = mask[2, 2, 2] = True
    mask[0, 3, 3] = True
    assert parts(mask)[1].tolist() == [0, 3, 1]
    assert largest(mask).sum() == 3 and without_small(mask, 2).sum() == 3
    shell = np.ones((5, 5, 5), np.uint8)
    shell[2, 2, 2] = 0
    assert tidied(shell, fill=True).all()
    shell[2, 2, :3] = 0
    assert not tidied(shell, fill=True).all(), "a tunnel to the outside is no hole"


def test_empty_masks_stay_empty():
    empty = np.zeros((3, 3), bool)
    assert not largest(empty).any() and not without_small(empty, 3).any() and not filled(empty).any()
    assert not tidied(np.zeros((3, 3), np.uint8), keep_largest=True, smallest=9, fill=True).any()


def test_a_tie_keeps_the_first_part():
    mask = np.array([1, 1, 0, 1, 1, 0], bool)
    assert largest(mask).tolist() == [True, True, False, False, False, False]


def test_what_lies_on_an_outermost_pixel():
    volume = np.zeros((4, 5, 6), np.int32)
    volume[1:3, 1:4, 2:4] = 1
    for i, place in enumerate([(0, 2, 3), (3, 2, 3), (2, 0, 3), (2, 4, 3), (2, 2, 0), (2, 2, 5)], start=2):
        volume[place] = i
    assert at_rim(volume).tolist() == [True, False] + 6 * [True]
    assert at_rim(np.zeros((3, 3), np.int32)).tolist() == [True]
