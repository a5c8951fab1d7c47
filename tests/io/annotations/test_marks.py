from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Boxes, Geometry, Instances
from isocenter.errors import LabelError, OutputError
from isocenter.io.annotations.marks import Marks, boxed, corners, cropped, edges_of, flat, plane, stacked

SHAPE = (10, 20)
GRID = Geometry(SHAPE)


def marks(*boxes: tuple[float, float, float, float], **more: object) -> Marks:
    edges = [corners(b[:2], b[2:]) for b in boxes]
    return Marks(("a",) * len(boxes), stacked(edges, 2), **more)  # type: ignore[arg-type]


def test_faults_are_named() -> None:
    nan = float("nan")
    found = marks(
        (1, 1, 3, 3), (4, 4, 4, 6), (5, 5, 4, 4), (20, 0, 25, 5), (-9, 0, 0, 5), (nan, 0, 1, 1), (0, 8, 5, 14),
        (2, 2, 3, 3),
        doubted=np.array([False] * 7 + [True]),
    )  # fmt: skip
    assert found.faults(SHAPE) == {
        1: "without area", 2: "without area", 3: "outside the image", 4: "outside the image",
        5: "with an edge that is no number", 7: "without area",
    }  # fmt: skip
    assert found.leaving(SHAPE) == [6]
    assert found.text(6) == "object 7 (a, x 0 to 5, y 8 to 14)"


def test_a_rounding_is_no_leaving() -> None:
    assert marks((-1, 0, 21, 10.5)).leaving(SHAPE) == []


def test_boxes_are_cut_and_keep_what_is_said_of_them() -> None:
    found = marks(
        (0, 8, 5, 14), (1, 1, 2, 2), scores=np.array([0.25, 0.5]), ignored=np.array([True, False])
    ).boxes([0, 1], [1, 0], classes=("x", "y"), geometry=GRID)
    assert found.edges[0].tolist() == [[7.5, -0.5], [9.5, 4.5]] and found.labels.tolist() == [1, 0]
    assert found.scores is not None and found.ignored is not None
    assert found.scores.tolist() == [0.25, 0.5] and found.ignored.tolist() == [True, False]
    assert len(marks().boxes([], [], classes=("x",), geometry=GRID)) == 0


def test_boxes_alone_are_no_objects() -> None:
    with pytest.raises(LabelError, match="boxes alone"):
        marks((1, 1, 2, 2)).instances([0], [0], classes=("x",), geometry=GRID)
    assert len(marks().instances([], [], classes=("x",), geometry=GRID)) == 0


def test_objects_with_their_pixels() -> None:
    one = (np.array([2, 3]), np.ones((2, 2), bool))
    found = marks((3, 2, 5, 4), crop=lambda i: one, scores=np.array([0.5])).instances(
        [0], [0], classes=("x",), geometry=GRID
    )
    assert found.areas.tolist() == [4] and found.boxes().edges.tolist() == [[[1.5, 2.5], [3.5, 4.5]]]


def test_crops_are_tight() -> None:
    mask = np.zeros(SHAPE, bool)
    mask[3, 4] = mask[5, 6] = True
    crop = cropped(mask)
    assert crop is not None and crop[0].tolist() == [3, 4] and crop[1].shape == (3, 3)
    assert edges_of(crop).tolist() == [[2.5, 3.5], [5.5, 6.5]]
    shifted = cropped(mask, (10, 20))
    assert shifted is not None and shifted[0].tolist() == [13, 24]
    assert cropped(np.zeros(SHAPE, bool)) is None


def test_volumes_are_refused_by_flat_formats() -> None:
    with pytest.raises(LabelError, match="3 axes"):
        plane((2, 3, 4), "X")
    with pytest.raises(OutputError, match="3 axes"):
        flat(Boxes.none(("a",), Geometry((2, 3, 4))), "X")
    assert plane(SHAPE, "X") == flat(Instances.none(("a",), GRID), "X") == SHAPE
    assert isinstance(boxed(Instances.none(("a",), GRID)), Boxes)
