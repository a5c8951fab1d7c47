"""Objects as closed lines, whatever file they came from."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.errors import LabelError
from isocenter.io.annotations.outlines import Outlines

SQUARE = np.array([[2.0, 1.0], [5.0, 1.0], [5.0, 3.0], [2.0, 3.0]])
HOLE = np.array([[3.0, 1.0], [4.0, 1.0], [4.0, 2.0], [3.0, 2.0]])


def made(*scores: float | None) -> Outlines:
    found = [("b", (SQUARE, HOLE), scores[0]), ("a", (SQUARE + 4,), scores[1])]
    return Outlines.of("slide.lines", found, format="lines", item="line")


def test_edges_and_pixels_follow_from_the_rings() -> None:
    found = made(0.5, 0.25)
    assert found.classes == ("a", "b") and found.size("slide.png") is None
    marks = found.marks("slide.png", (8, 10))
    assert marks.names == ("b", "a")
    assert marks.edges.tolist() == [[[0.5, 1.5], [2.5, 4.5]], [[4.5, 5.5], [6.5, 8.5]]]
    start, mask = marks.crop(0)
    assert start.tolist() == [1, 2]
    assert mask.tolist() == [[True, False, True], [True, True, True]]


def test_scores_count_where_every_object_has_one() -> None:
    assert made(0.5, 0.25).marks("x", (8, 10)).scores.tolist() == [0.5, 0.25]
    assert made(0.5, None).marks("x", (8, 10)).scores is None
    assert made(None, None).marks("x", (8, 10)).scores is None


def test_an_empty_file_holds_no_object() -> None:
    found = Outlines.of("slide.lines", [], format="lines", item="line")
    marks = found.marks("x", (8, 10))
    assert found.classes == () and marks.names == () and marks.edges.shape == (0, 2, 2)


def test_volumes_and_outlines_beyond_the_image_are_refused_by_the_names_of_the_format() -> None:
    with pytest.raises(LabelError, match="lines knows x and y alone"):
        made(1.0, 1.0).marks("x", (3, 8, 10))
    marks = made(1.0, 1.0).marks("x", (4, 5))
    with pytest.raises(LabelError, match=r"slide\.lines: an outline outside the image.*line 2"):
        marks.crop(1)
