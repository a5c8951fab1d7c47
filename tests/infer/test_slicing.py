"""Volumes slice by slice."""

from __future__ import annotations

import numpy as np

from isocenter.data import Boxes, Geometry, Image, Instances
from isocenter.infer.slicing import boxes_of, instances_of, slices

GEOMETRY = Geometry.from_spacing((3, 8, 9), (2.0, 1.0, 1.0))
FLAT = Geometry.from_spacing((8, 9), (1.0, 1.0))


def test_slices_are_images_of_two_axes_in_order() -> None:
    pixels = np.arange(3 * 8 * 9, dtype=np.float32).reshape(3, 8, 9)
    image = Image.from_array(pixels, geometry=GEOMETRY)
    parts = list(slices(image, image.channels_first()))
    assert [p.axes for p in parts] == ["cyx"] * 3
    assert all(np.array_equal(p.pixels()[0], pixels[i]) for i, p in enumerate(parts))
    assert parts[0].geometry.spacing == (1.0, 1.0)


def test_boxes_of_slices_are_one_slice_thick_and_ranked() -> None:
    edges = np.array([[[0.5, 0.5], [3.5, 4.5]]])
    first = Boxes(edges, np.array([0]), ("a", "b"), FLAT, np.array([0.4]))
    last = Boxes(edges + 1, np.array([1]), ("a", "b"), FLAT, np.array([0.9]))
    found = boxes_of([first, Boxes.none(("a", "b"), FLAT), last], GEOMETRY)
    assert found.edges.tolist() == [[[1.5, 1.5, 1.5], [2.5, 4.5, 5.5]], [[-0.5, 0.5, 0.5], [0.5, 3.5, 4.5]]]
    assert found.labels.tolist() == [1, 0] and found.scores.tolist() == [0.9, 0.4]
    assert found.sizes_mm[0].tolist() == [2.0, 3.0, 4.0]


def test_objects_of_slices_lie_in_their_slice() -> None:
    numbers = np.zeros((8, 9), np.int32)
    numbers[1:4, 2:5], numbers[5:7, 0:3] = 1, 2
    one = Instances.from_label_map(numbers, FLAT, classes=("a",), scores=[0.7, 0.8])
    found = instances_of([Instances.none(("a",), FLAT), one, one], GEOMETRY)
    assert len(found) == 4 and found.starts[:, 0].tolist() == [1, 1, 2, 2]
    shown = found.label_map()
    assert not shown[0].any()
    assert np.array_equal(shown[1] > 0, numbers > 0) and np.array_equal(shown[2] > 0, numbers > 0)


def test_a_volume_without_objects() -> None:
    assert len(boxes_of([Boxes.none(("a",), FLAT)] * 3, GEOMETRY)) == 0
    assert len(instances_of([Instances.none(("a",), FLAT)] * 3, GEOMETRY)) == 0
