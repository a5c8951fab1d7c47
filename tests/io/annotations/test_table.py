from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from isocenter.data import Boxes, Geometry, Instances
from isocenter.errors import LabelError, UnreadableError
from isocenter.io.annotations import table

SHAPE = (10, 20)


def test_one_table_for_many_images(tmp_path: Path) -> None:
    path = tmp_path / "boxes.csv"
    path.write_text(
        "image,label,xmin,ymin,xmax,ymax,score,ignored\n"
        "images/a.png,RBC,4,2,7,3,0.5,1\nimages/a.png,WBC,0,0,20,10,0.25,\nimages/b.png,,,,,,,\n\n"
    )
    found = table.read(path)
    assert found.classes == ("RBC", "WBC") and found.size("x") is None and table.claims(path)
    marks = found.marks("/data/images/a.png", SHAPE)
    assert marks.names == ("RBC", "WBC")
    assert marks.edges.tolist() == [[[1.5, 3.5], [2.5, 6.5]], [[-0.5, -0.5], [9.5, 19.5]]]
    assert marks.scores is not None and marks.scores.tolist() == [0.5, 0.25]
    assert marks.ignored is not None and marks.ignored.tolist() == [True, False]
    assert found.knows("/data/images/b.png") and len(found.marks("/data/images/b.png", SHAPE).names) == 0
    assert not found.knows("/data/images/c.png") and len(found.marks("/data/images/c.png", SHAPE).names) == 0
    assert found.knows("/elsewhere/a.png")
    assert found.spare(["/data/images/a.png", "/data/images/c.png"]) == ["images/b.png"]


def test_a_table_of_one_image_and_tabs(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("xmin\tymin\txmax\tymax\tzmin\tzmax\n1\t2\t3\t4\t5\t6\n")
    marks = table.read(path).marks("anything", (9, 9, 9))
    assert marks.names == ("object",) and marks.edges.tolist() == [[[4.5, 1.5, 0.5], [5.5, 3.5, 2.5]]]
    assert table.read(path).knows("anything")


def test_refusals(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("xmin,ymin,xmax\n1,2,3\n")
    with pytest.raises(UnreadableError, match="ymax"):
        table.read(path)
    path.write_text("")
    with pytest.raises(UnreadableError, match="not a table of boxes"):
        table.read(path)
    path.write_text("xmin,ymin,xmax,ymax\n1,2,3,x\n")
    with pytest.raises(LabelError, match="row 2 has no number in ymax"):
        table.read(path).marks("a", SHAPE)
    path.write_text("xmin,ymin,xmax,ymax\n1,2,3,4\n")
    with pytest.raises(LabelError, match="without z"):
        table.read(path).marks("a", (4, 5, 6))


def test_rows_in_pixels_and_millimetres() -> None:
    grid = Geometry.from_spacing((4, 10, 20), (3.0, 0.5, 0.25), origin=(10.0, 20.0, 30.0))
    found = Boxes(np.array([[[0.5, 1.5, 2.5], [2.5, 3.5, 6.5]]]), np.array([0]), ("a",), grid, np.array([0.5]))
    (row,) = table.rows(found)
    assert row["score"] == 0.5 and [row[k] for k in ("zmin", "zmax", "xmin", "xmax")] == [1, 3, 3, 7]
    assert [row[f"size_{a}_mm"] for a in "xyz"] == [1.0, 1.0, 6.0]
    assert [row[f"middle_{a}_mm"] for a in "xyz"] == [10 + 4.5 * 0.25, 20 + 2.5 * 0.5, 30 + 1.5 * 3]
    assert list(row) == table.header(found)


def test_rows_of_objects_and_ignored_boxes() -> None:
    flat = Geometry.from_spacing(SHAPE, (0.5, 0.25))
    found = Instances(np.array([[1, 2]]), (np.array([[True, False], [True, True]]),), np.array([0]), ("=a",), flat)
    (row,) = table.rows(found)
    assert row["area_px"] == 3 and row["area_mm2"] == 0.375 and list(row) == table.header(found)
    assert "'=a" in table.as_csv(found), "no name becomes a formula"
    edges = np.array([[[0.0, 0.0], [1.0, 1.0]]])
    unknown = Boxes(edges, np.array([0]), ("a",), Geometry(SHAPE), None, np.array([True]))
    assert table.header(unknown) == ["id", "class", "ignored", "xmin", "ymin", "xmax", "ymax"]
    assert list(table.rows(unknown)[0]) == table.header(unknown)
    assert table.as_csv(Boxes.none(("a",), Geometry(SHAPE), scored=False)) == "id,class,xmin,ymin,xmax,ymax\n"
