from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from isocenter.data import Boxes, Geometry, Instances
from isocenter.errors import LabelError, OutputError, ResourceError, UnreadableError
from isocenter.io.annotations import roiset

SHAPE = (10, 20)
GRID = Geometry(SHAPE)


def objects() -> Instances:
    ring = np.ones((3, 4), bool)
    ring[1, 1] = False
    plain = np.array([[True, True, False], [True, True, True]])
    return Instances(
        np.array([[1, 2], [5, 9]]), (ring, plain), np.array([1, 0]), ("a", "b/c"), GRID, np.array([0.5, 0.25])
    )


def test_the_very_pixels_come_back(tmp_path: Path) -> None:
    roiset.write(tmp_path / "a.zip", objects())
    found = roiset.read(tmp_path / "a.zip")
    marks = found.marks("a.png", SHAPE)
    assert marks.names == ("b/c", "a") and found.classes == ("a", "b/c") and found.size("a") is None
    again = marks.instances([0, 1], [1, 0], classes=("a", "b/c"), geometry=GRID)
    assert np.array_equal(again.label_map(), objects().label_map())
    assert marks.scores is not None and marks.scores.tolist() == [0.5, 0.25]
    roiset.write(tmp_path / "b.zip", objects())
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_an_independent_reader_sees_the_same(tmp_path: Path) -> None:
    theirs = pytest.importorskip("roifile")
    roiset.write(tmp_path / "a.zip", objects())
    ring, plain = theirs.roiread(tmp_path / "a.zip")
    assert plain.roitype == theirs.ROI_TYPE.POLYGON and plain.name == "00002-a" and plain.version == roiset.VERSION
    assert (plain.left, plain.top, plain.right, plain.bottom) == (9, 5, 12, 7)
    assert plain.coordinates().tolist() == [[9, 5], [11, 5], [11, 6], [12, 6], [12, 7], [9, 7]]
    assert plain.properties == {"class": "a", "score": 0.25}
    assert ring.composite and (ring.left, ring.top, ring.right, ring.bottom) == (2, 1, 6, 4)
    outer, hole = ring.coordinates(multi=True)
    assert {tuple(p) for p in outer.tolist()} == {(2, 1), (6, 1), (6, 4), (2, 4)}
    assert {tuple(p) for p in hole.tolist()} == {(3, 2), (4, 2), (4, 3), (3, 3)}


def test_what_an_independent_writer_makes_is_read(tmp_path: Path) -> None:
    theirs = pytest.importorskip("roifile")
    points = np.array([[4, 2], [7, 2], [7, 5], [4, 5]], np.int32)
    theirs.ImagejRoi.frompoints(points).tofile(tmp_path / "a.roi")
    found = roiset.read(tmp_path / "a.roi")
    crop = found.marks("a", SHAPE).crop
    assert found.names == ("object",) and crop is not None
    start, mask = crop(0)
    assert start.tolist() == [2, 4] and mask.shape == (3, 3) and mask.all()
    theirs.ImagejRoi.frompoints(points + 0.25).tofile(tmp_path / "b.roi")
    assert np.allclose(roiset.read(tmp_path / "b.roi").marks("b", SHAPE).edges, [[[1.75, 3.75], [4.75, 6.75]]])


def head(kind: int) -> bytes:
    data = bytearray(roiset.roi([[np.array([[4.0, 2.0], [8.0, 2.0], [8.0, 6.0], [4.0, 6.0]])]], "x"))
    data[6] = kind
    return bytes(data)


def test_rectangles_and_ovals(tmp_path: Path) -> None:
    (tmp_path / "a.roi").write_bytes(head(roiset.RECTANGLE))
    assert roiset.read(tmp_path / "a.roi").marks("a", SHAPE).edges.tolist() == [[[1.5, 3.5], [5.5, 7.5]]]
    (tmp_path / "a.roi").write_bytes(head(roiset.OVAL))
    crop = roiset.read(tmp_path / "a.roi").marks("a", SHAPE).crop
    # A circle of diameter 4 holds 12 of its 16 pixels' centres.
    assert crop is not None and crop(0)[1].sum() == 12 and roiset.claims(tmp_path / "a.roi")


@pytest.mark.parametrize(
    ("data", "message"), [(head(3), "no area"), (b"Jout" + head(0)[4:], "is none"), (b"Iout", "is none")]
)
def test_what_is_no_area_is_refused(data: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.roi").write_bytes(data)
    with pytest.raises(UnreadableError, match=message):
        roiset.read(tmp_path / "a.roi")


def test_hostile_sets_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK\3\4")
    with pytest.raises(UnreadableError):
        roiset.read(tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("a.roi", head(0))
    monkeypatch.setattr(roiset, "LARGEST", 10)
    with pytest.raises(ResourceError, match="swells"):
        roiset.read(tmp_path / "b.zip")
    with pytest.raises(UnreadableError, match="segment 9"):
        roiset._composite((9.0, 1.0))


def test_boxes_with_fractions_and_images_beyond_the_format(tmp_path: Path) -> None:
    box = Boxes(np.array([[[1.25, 2.0], [4.5, 7.0]]]), np.array([0]), ("a",), GRID)
    roiset.write(tmp_path / "a.zip", box)
    assert np.allclose(roiset.read(tmp_path / "a.zip").marks("a", SHAPE).edges, box.edges)
    with pytest.raises(OutputError, match="32767"):
        roiset.roi([[np.array([[0.0, 0.0], [40000.0, 0.0], [40000.0, 1.0]])]], "x")
    marks = roiset.read(tmp_path / "a.zip").marks("a", (1, 1))
    assert marks.crop is not None
    with pytest.raises(LabelError, match="ROI 1"):
        marks.crop(0)
