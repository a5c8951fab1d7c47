from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from isocenter.data import Boxes, Geometry
from isocenter.errors import UnreadableError
from isocenter.io.annotations import yolo

SHAPE = (10, 20)


def test_shares_become_pixels(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("1 0.5 0.5 1 1\n\n0 0.275 0.25 0.05 0.1\n")
    found = yolo.read(tmp_path / "a.txt")
    marks = found.marks("a.png", SHAPE)
    assert found.classes == ("0", "1") and found.size("a.png") is None and marks.crop is None and marks.scores is None
    assert np.allclose(marks.edges, [[[-0.5, -0.5], [9.5, 19.5]], [[1.5, 4.5], [2.5, 5.5]]])


def test_outlines_and_scores(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("0 0.1 0.2 0.3 0.2 0.3 0.4 0.1 0.4\n")
    marks = yolo.read(tmp_path / "a.txt", ["cell"]).marks("a.png", SHAPE)
    assert marks.names == ("cell",) and marks.crop is not None
    start, mask = marks.crop(0)
    assert start.tolist() == [2, 2] and mask.shape == (2, 4) and mask.all()
    (tmp_path / "b.txt").write_text("0 0.5 0.5 0.1 0.1 0.75\n")
    scored = yolo.read(tmp_path / "b.txt").marks("b.png", SHAPE).scores
    assert scored is not None and scored.tolist() == [0.75]
    (tmp_path / "c.txt").write_text("0 2.1 2.2 2.3 2.2 2.3 2.4\n")
    outside = yolo.read(tmp_path / "c.txt").marks("c.png", SHAPE)
    assert outside.faults(SHAPE) == {0: "outside the image"} and outside.crop is not None
    with pytest.raises(UnreadableError, match="line 1"):
        outside.crop(0)


def test_names_stand_beside_or_above(tmp_path: Path) -> None:
    (tmp_path / "labels" / "train").mkdir(parents=True)
    path = tmp_path / "labels" / "train" / "a.txt"
    path.write_text("1 0.5 0.5 0.1 0.1\n")
    assert yolo.read(path).classes == ("1",)
    (tmp_path / "data.yaml").write_text("train: x\nnames:\n  1: dog\n  0: cat\nnc: 2\n")
    assert yolo.read(path).classes == ("dog",)
    (path.parent / "classes.txt").write_text("a\nb\n")
    assert yolo.read(path).classes == ("b",)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a 0.5 0.5 0.1 0.1", "no YOLO object"),
        ("0 0.5 0.5 0.1", "3 numbers"),
        ("0 0.5 0.5 0.1 0.1 0.5 0.5", "0.5"),
        ("0 0.5 0.5 0.1 0.1 1.5", "no probability"),
        ("2 0.5 0.5 0.1 0.1", "beyond the names: got 2, needed 0 a, 1 b"),
        ("0 0.1 0.1 0.2 0.2 0.3 0.3 0.4", "7 numbers"),
    ],
)
def test_damaged_lines_are_named(line: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("0 0.5 0.5 0.1 0.1\n" + line + "\n")
    if message == "0.5":
        assert yolo.read(tmp_path / "a.txt", ["a", "b"]).lines[1][1] == (0.5, 0.5, 0.1, 0.1, 0.5, 0.5)
        return
    with pytest.raises(UnreadableError, match=rf"line 2.*{message}|{message}"):
        yolo.read(tmp_path / "a.txt", ["a", "b"])


def test_what_is_written_is_read(tmp_path: Path) -> None:
    edges = np.array([[[1.25, 2.5], [4.5, 7.75]]])
    found = Boxes(edges, np.array([1]), ("a", "b"), Geometry(SHAPE), np.array([0.5]))
    yolo.write(tmp_path / "x.txt", found)
    again = yolo.read(tmp_path / "x.txt", found.classes).marks("x.png", SHAPE)
    assert np.allclose(again.edges, edges) and again.names == ("b",) and yolo.claims(tmp_path / "x.txt")
