from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from isocenter.data import Boxes, Geometry, Image, Instances
from isocenter.errors import OutputError
from isocenter.io import write_overlay
from isocenter.io.overlay import PALETTE
from isocenter.io.overlay_objects import boxes_drawn, objects_drawn

FLAT = Image.from_array(np.zeros((600, 600), np.uint8))


def test_boxes_are_drawn_round_their_pixels_with_words() -> None:
    edges = np.array([[[99.5, 199.5], [149.5, 299.5]]])
    found = Boxes(edges, np.array([1]), ("a", "b"), FLAT.geometry, np.array([0.9]))
    picture = boxes_drawn(FLAT, found)
    on = (picture == PALETTE[1]).all(-1)
    assert on[100, 200] and on[149, 299] and on[125, 200] and not on[125, 250] and not on[125, 199]
    assert picture[85:99, 200:240].any(), "the class and score stand above"


def test_objects_are_outlined_and_neighbours_differ() -> None:
    ones = np.ones((50, 50), bool)
    found = Instances(np.array([[100, 100], [100, 150]]), (ones, ones), np.array([0, 0]), ("a",), FLAT.geometry)
    picture = objects_drawn(FLAT, found)
    assert tuple(picture[100, 120]) == PALETTE[0] and tuple(picture[100, 170]) == PALETTE[1]
    assert not picture[125, 125].any() and not picture[99, 120].any()


def test_volumes_show_the_slice_with_most() -> None:
    image = Image.from_array(np.zeros((5, 300, 300), np.uint8))
    edges = np.array([[[1.5, 9.5, 9.5], [3.5, 19.5, 19.5]], [[2.5, 99.5, 99.5], [3.5, 109.5, 109.5]]])
    found = Boxes(edges, np.array([0, 0]), ("a",), image.geometry)
    assert boxes_drawn(image, found)[20, 20].any() and boxes_drawn(image, found)[200, 200].any()
    assert not boxes_drawn(image, found, index=2)[200, 200].any()
    objects = Instances(np.array([[3, 10, 10]]), (np.ones((1, 9, 9), bool),), np.array([0]), ("a",), image.geometry)
    assert objects_drawn(image, objects)[20, 20].any() and not objects_drawn(image, objects, index=0).any()


def test_other_grids_are_refused_and_files_are_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="different grids"):
        boxes_drawn(FLAT, Boxes.none(("a",), Geometry((3, 3))))
    for found in (Boxes.none(("a",), FLAT.geometry), Instances.none(("a",), FLAT.geometry)):
        path = write_overlay(FLAT, found, tmp_path / "a.png", overwrite=True)
        assert np.asarray(PIL.Image.open(path)).shape == (600, 600, 3)
