from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from isocenter.data import Boxes, Geometry
from isocenter.errors import ResourceError, UnreadableError
from isocenter.io.annotations import voc


def xml(*objects: str, size: str = "<size><width>20</width><height>10</height></size>") -> str:
    return f"<annotation>{size}{''.join(objects)}</annotation>"


def item(name: str, *numbers: float, difficult: int = 0) -> str:
    box = "".join(f"<{c}>{v}</{c}>" for c, v in zip(voc.CORNERS, numbers, strict=True))
    return f"<object><name>{name}</name><difficult>{difficult}</difficult><bndbox>{box}</bndbox></object>"


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "a.xml"
    path.write_text(xml(item("b", 1, 1, 20, 10), item("a", 3, 2, 5, 2, difficult=1), item("a", 4, 4, 4, 4)))
    return path


def test_corners_count_from_one_and_lie_within(written: Path) -> None:
    found = voc.read(written)
    marks = found.marks("a.jpg", (10, 20))
    assert found.classes == ("a", "b") and found.size("a.jpg") == (10, 20)
    assert marks.edges.tolist() == [[[-0.5, -0.5], [9.5, 19.5]], [[0.5, 1.5], [1.5, 4.5]], [[2.5, 2.5], [3.5, 3.5]]]
    assert marks.ignored is not None and marks.ignored.tolist() == [False, True, False]
    # A line or a point may be a slip of the mouse: the caller decides.
    assert marks.faults((10, 20)) == {1: "without area", 2: "without area"}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    edges = np.array([[[1.25, 2.5], [4.5, 7.75]], [[-0.5, -0.5], [0.5, 2.5]]])
    found = Boxes(edges, np.array([1, 0]), ("a", "b & c"), Geometry((10, 20)), None, np.array([False, True]))
    voc.write(tmp_path / "a.xml", found, "a.jpg")
    again = voc.read(tmp_path / "a.xml").marks("a.jpg", (10, 20))
    assert np.allclose(again.edges, edges) and again.names == ("b & c", "a")
    assert again.ignored is not None and again.ignored.tolist() == [False, True]
    assert "<filename>a.jpg</filename>" in (tmp_path / "a.xml").read_text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<annotation>", "not XML"),
        ("<html/>", "not a Pascal VOC"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><annotation/>', "entities"),
        (xml("<object><name>a</name></object>"), "without name or bndbox"),
        (xml(item("", 1, 1, 2, 2)), "without name or bndbox"),
        (xml(item("a", 1, 1, 2, 2)).replace("<xmin>1", "<xmin>one"), "Pascal VOC"),
    ],
)
def test_damaged_files_are_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(text)
    with pytest.raises(UnreadableError, match=message):
        voc.read(tmp_path / "a.xml")


def test_huge_files_are_not_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voc, "LARGEST", 10)
    (tmp_path / "a.xml").write_text(xml())
    with pytest.raises(ResourceError, match="larger than an annotation"):
        voc.read(tmp_path / "a.xml")


def test_a_size_of_nothing_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(xml(size=""))
    assert voc.read(tmp_path / "a.xml").size("a") is None and voc.claims(tmp_path / "a.XML")
