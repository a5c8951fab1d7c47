from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from isocenter.data import Geometry, Instances
from isocenter.errors import LabelError, UnreadableError
from isocenter.io.annotations import nrrd

GRID = Geometry.from_spacing((4, 6, 9), (3.0, 0.5, 0.25), origin=(10.0, 20.0, 30.0))


def objects(*, overlap: bool = False) -> Instances:
    starts = np.array([[0, 0, 0], [1, 2, 3]]) if not overlap else np.array([[0, 0, 0], [1, 1, 1]])
    return Instances(starts, (np.ones((2, 2, 2), bool), np.ones((1, 2, 3), bool)), np.array([1, 0]), ("a", "b"), GRID,
                     np.array([0.5, 0.25]))  # fmt: skip


@pytest.mark.parametrize("overlap", [False, True])
def test_objects_come_back_overlaps_too(overlap: bool, tmp_path: Path) -> None:
    made = objects(overlap=overlap)
    nrrd.write(tmp_path / "a.seg.nrrd", made)
    found = nrrd.read(tmp_path / "a.seg.nrrd")
    assert found.classes == ("a", "b") and found.size("a") == GRID.shape and len(found.layers) == 1 + overlap
    assert found.geometry.same_grid(GRID, 1e-6) and found.values == (((0, 1), (1, 1)) if overlap else ((0, 1), (0, 2)))
    marks = found.marks("a", GRID.shape)
    again = marks.instances([0, 1], [1, 0], classes=("a", "b"), geometry=GRID)
    assert again.areas.tolist() == [8, 6] and np.array_equal(again.label_map(), made.label_map())
    assert marks.scores is not None and marks.scores.tolist() == [0.5, 0.25]


@pytest.mark.parametrize("overlap", [False, True])
def test_an_independent_reader_sees_the_same(overlap: bool, tmp_path: Path) -> None:
    sitk = pytest.importorskip("SimpleITK")
    nrrd.write(tmp_path / "a.seg.nrrd", objects(overlap=overlap))
    image = sitk.ReadImage(str(tmp_path / "a.seg.nrrd"))
    assert image.GetSpacing() == pytest.approx((0.25, 0.5, 3.0)) and image.GetOrigin() == pytest.approx((10, 20, 30))
    array = sitk.GetArrayFromImage(image)
    layers = np.moveaxis(array, -1, 0) if overlap else array[None]
    assert np.array_equal(layers, nrrd.layered(objects(overlap=overlap))[0])
    assert image.GetMetaData("Segment1_Name") == "a" and image.GetMetaData("Segment0_Extent") == "0 1 0 1 0 1"


def test_a_plane_is_a_volume_of_one_slice(tmp_path: Path) -> None:
    flat = Geometry.from_spacing((6, 9), (0.5, 0.25), origin=(1.0, 2.0))
    made = Instances(np.array([[2, 3]]), (np.ones((1, 2), bool),), np.array([0]), ("a",), flat)
    nrrd.write(tmp_path / "a.seg.nrrd", made)
    found = nrrd.read(tmp_path / "a.seg.nrrd")
    assert found.layers.shape == (1, 1, 6, 9) and found.geometry.spacing == pytest.approx((1.0, 0.5, 0.25))
    again = found.marks("a", (6, 9)).instances([0], [0], classes=("a",), geometry=flat)
    assert np.array_equal(again.label_map(), made.label_map())


@pytest.mark.parametrize("shape", [(6, 9), (4, 6, 9)])
def test_unknown_spacing_stays_unknown(shape: tuple[int, ...], tmp_path: Path) -> None:
    sitk = pytest.importorskip("SimpleITK")
    made = Instances(np.array([[1] * len(shape)]), (np.ones((2,) * len(shape), bool),), np.array([0]), ("a",),
                     Geometry(shape))  # fmt: skip
    nrrd.write(tmp_path / "a.seg.nrrd", made)
    assert nrrd.read(tmp_path / "a.seg.nrrd").geometry.spacing is None
    assert sitk.ReadImage(str(tmp_path / "a.seg.nrrd")).GetSpacing() == (1.0, 1.0, 1.0)


def header(*lines: str, data: bytes = bytes([0, 1, 2, 0])) -> bytes:
    usual = ("type: uchar", "dimension: 3", "sizes: 2 2 1", "encoding: raw")
    return "\n".join(["NRRD0004", "# comment", *(lines or usual)]).encode() + b"\n\n" + data


def test_a_plain_nrrd_names_its_numbers(tmp_path: Path) -> None:
    (tmp_path / "a.nrrd").write_bytes(header())
    found = nrrd.read(tmp_path / "a.nrrd")
    assert found.names == ("1", "2") and found.geometry.affine is None and nrrd.claims(tmp_path / "a.nrrd")
    assert found.marks("a", (1, 2, 2)).edges[0].tolist() == [[-0.5, -0.5, 0.5], [0.5, 0.5, 1.5]]
    with pytest.raises(LabelError, match="another grid"):
        found.marks("a", (2, 2, 2))


def test_world_axes_of_other_programs(tmp_path: Path) -> None:
    (tmp_path / "a.nrrd").write_bytes(header(
        "type: uchar", "dimension: 3", "sizes: 2 2 1", "encoding: raw", "space: right-anterior-superior",
        "space directions: (2,0,0) (0,3,0) (0,0,4)", "space origin: (5,6,7)",
    ))  # fmt: skip
    geometry = nrrd.read(tmp_path / "a.nrrd").geometry
    assert geometry.spacing == (4.0, 3.0, 2.0)
    assert geometry.to_world(np.array([[0, 1, 1]])).tolist() == [[-7.0, -9.0, 7.0]]


def test_an_empty_segment_is_a_box_without_area(tmp_path: Path) -> None:
    (tmp_path / "a.seg.nrrd").write_bytes(header(
        "type: uchar", "dimension: 3", "sizes: 2 2 1", "encoding: raw", "Segment0_Name:=a", "Segment0_LabelValue:=9",
    ))  # fmt: skip
    assert nrrd.read(tmp_path / "a.seg.nrrd").marks("a", (1, 2, 2)).faults((1, 2, 2)) == {0: "without area"}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"NRRD0004\ntype: uchar", "not a NRRD"),
        (b"nothing\n\n", "not a NRRD"),
        (header(data=b"\0"), "cut short"),
        (header("type: float", "sizes: 2 2 1"), "not a label volume"),
        (header("type: uchar", "sizes: 4"), "not a label volume"),
        (header("type: uchar", "sizes: 2 2 1", "encoding: bzip2"), "encoding"),
        (header("type: uchar", "sizes: 90000 90000 900", "encoding: gzip"), "can hold"),
    ],
)
def test_damaged_files_are_refused(data: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.nrrd").write_bytes(data)
    with pytest.raises(UnreadableError, match=message):
        nrrd.read(tmp_path / "a.nrrd")
