"""Volumes are turned and turned back without a trace."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from isocenter.data import Geometry, Image, Segmentation
from isocenter.data.turning import returned_labels, returned_map, turned, turned_labels

CODES = ["".join(p) for o in itertools.permutations(("RL", "AP", "IS")) for p in itertools.product(*o)]
GEOMETRY = Geometry(
    (3, 4, 5), ((0.1, 0.02, 0.7, -5.0), (0.05, 0.9, -0.02, 7.0), (2.5, 0.1, 0.03, 11.0), (0.0, 0.0, 0.0, 1.0))
)
PIXELS = np.arange(2 * 60).reshape(2, 3, 4, 5)


@pytest.mark.parametrize("codes", CODES)
def test_there_and_back(codes: str) -> None:
    image = Image.from_array(PIXELS, axes="czyx", geometry=GEOMETRY)
    there = turned(image, codes)
    assert there.geometry.orientation == codes and there.pixels().shape == there.shape
    at = np.argwhere(there.pixels()[1] == 97)
    assert np.allclose(there.geometry.to_world(at), GEOMETRY.to_world(np.argwhere(PIXELS[1] == 97)))
    labels = (there.pixels()[0] % 3).astype(np.uint8)
    scores = there.pixels().astype(np.float32)
    found = Segmentation(labels, ("background", "a", "b"), there.geometry, scores)
    back = returned_labels(found, image)
    assert np.array_equal(back.labels, PIXELS[0] % 3) and back.geometry == GEOMETRY
    assert np.array_equal(back.scores, PIXELS)
    assert np.array_equal(turned_labels(back, codes).labels, labels)
    assert np.array_equal(returned_map(there.pixels()[1], there.geometry, image), PIXELS[1])


def test_what_has_no_orientation_stays() -> None:
    flat = Image.from_array(np.zeros((3, 4)), spacing=(1.0, 1.0))
    unknown = Image.from_array(np.zeros((3, 4, 5)))
    assert turned(flat, "SPL") is flat and turned(unknown, "SPL") is unknown
    known = Image.from_array(np.zeros((3, 4, 5)), spacing=(1.0, 1.0, 1.0))
    assert turned(known, None) is known and turned(known, "SPL") is known


def test_boxes_are_turned_with_their_image() -> None:
    from isocenter.data import Boxes
    from isocenter.data.turning import returned_boxes, turned_boxes

    geometry = Geometry.from_spacing((6, 8, 10), (3.0, 2.0, 1.0))
    pixels = np.zeros((6, 8, 10))
    pixels[1:3, 4:8, 2:7] = 1
    image = Image(lambda: pixels, (6, 8, 10), "zyx", "float64", geometry)
    boxes = Boxes(np.array([[[0.5, 3.5, 1.5], [2.5, 7.5, 6.5]]]), np.array([0]), ("x",), geometry)
    for codes in ("SPL", "IAR", "LSP", "RIA"):
        there, moved_ = turned(image, codes), turned_boxes(boxes, codes)
        assert moved_.geometry == there.geometry
        low, high = moved_.edges[0]
        held = np.argwhere(there.pixels())
        assert np.allclose(low, held.min(0) - 0.5)
        assert np.allclose(high, held.max(0) + 0.5)
        assert np.array_equal(returned_boxes(moved_, image).edges, boxes.edges)
    assert turned_boxes(boxes, None) is boxes
