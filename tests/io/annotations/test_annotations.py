"""One marked pixel through every format, in and out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from isocenter.data import Boxes, Geometry, Image, Instances
from isocenter.errors import LabelError, OutputError, UnreadableError
from isocenter.io import read_labels, write
from isocenter.io.annotations import BOXES, NAMES, OBJECTS, Marks, opened

SHAPE = (6, 9)
PIXEL = (2, 5)
SPACED = Geometry.from_spacing(SHAPE, (0.5, 0.25))
VOLUME = Geometry.from_spacing((4, 6, 9), (3.0, 0.5, 0.25), origin=(10.0, 20.0, 30.0))


def pixel_box(geometry: Geometry = SPACED, *, scored: bool = True) -> Boxes:
    at = np.asarray((1, *PIXEL)[-geometry.ndim :], float)
    scores = np.array([0.75]) if scored else None
    return Boxes(np.stack([at - 0.5, at + 0.5])[None], np.array([0]), ("cell",), geometry, scores)


def pixel_object(geometry: Geometry = SPACED) -> Instances:
    start = np.asarray([(1, *PIXEL)[-geometry.ndim :]])
    mask = np.ones((1,) * geometry.ndim, bool)
    return Instances(start, (mask,), np.array([0]), ("cell",), geometry, np.array([0.75]))


def back(path: Path, shape: tuple[int, ...] = SHAPE) -> Marks:
    return opened(path).marks(str(path.with_suffix(".png")), shape)


@pytest.mark.parametrize("end", BOXES)
def test_a_box_over_one_pixel_comes_back(end: str, tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("cell\n")
    path = write(pixel_box(), tmp_path / f"a{end}", like=Image.from_array(np.zeros(SHAPE, np.uint8)))
    found = back(path)
    assert found.names == ("cell",)
    assert np.allclose(found.edges, [[[1.5, 4.5], [2.5, 5.5]]], atol=1e-7)
    if end != ".xml":
        assert found.scores == pytest.approx([0.75])


@pytest.mark.parametrize("end", [e for e in OBJECTS if e != ".csv"])
def test_an_object_of_one_pixel_comes_back(end: str, tmp_path: Path) -> None:
    found = back(write(pixel_object(), tmp_path / f"a{end}"))
    assert found.names == ("cell",) and found.scores == pytest.approx([0.75])
    assert np.allclose(found.edges, [[[1.5, 4.5], [2.5, 5.5]]])
    made = found.instances([0], [0], classes=("cell",), geometry=SPACED)
    assert np.argwhere(made.label_map()).tolist() == [list(PIXEL)]


@pytest.mark.parametrize("end", [".png", ".tif", ".ome.tif", ".nii.gz", ".npy"])
def test_an_object_of_one_pixel_comes_back_from_a_label_map(end: str, tmp_path: Path) -> None:
    path = write(pixel_object(), tmp_path / f"a{end}")
    if end == ".npy":
        array = np.load(path)
    else:
        array, geometry = read_labels(path)
        assert end == ".png" or geometry.spacing == pytest.approx(SPACED.spacing)
    assert array.dtype == np.uint16 and np.argwhere(array).tolist() == [list(PIXEL)]


@pytest.mark.parametrize("end", [".seg.nrrd", ".nii.gz", ".csv"])
def test_a_voxel_comes_back_in_its_place(end: str, tmp_path: Path) -> None:
    path = write(pixel_object(VOLUME), tmp_path / f"a{end}")
    if end == ".nii.gz":
        array, geometry = read_labels(path)
        assert np.argwhere(array).tolist() == [[1, *PIXEL]] and geometry.same_grid(VOLUME, 1e-4)
        return
    found = back(path, VOLUME.shape)
    assert found.edges.tolist() == [[[0.5, 1.5, 4.5], [1.5, 2.5, 5.5]]]
    assert found.scores == pytest.approx([0.75])


def test_each_convention_as_its_own_program_counts(tmp_path: Path) -> None:
    box = pixel_box(scored=False)
    voc = write(box, tmp_path / "a.xml").read_text()
    # From 1, both corners within the box.
    assert "<xmin>6</xmin>" in voc and "<xmax>6</xmax>" in voc and "<ymin>3</ymin>" in voc and "<ymax>3</ymax>" in voc
    x, y, w, h = (float(v) for v in write(box, tmp_path / "a.txt").read_text().split()[1:])
    assert (x * 9, y * 6, w * 9, h * 6) == pytest.approx((5.5, 2.5, 1, 1))
    assert '"bbox": [5.0, 2.0, 1.0, 1.0]' in write(box, tmp_path / "a.json").read_text()
    row = dict(zip(*(line.split(",") for line in write(box, tmp_path / "a.csv").read_text().splitlines()), strict=True))
    assert [float(row[k]) for k in ("xmin", "ymin", "xmax", "ymax")] == [5, 2, 6, 3]
    assert (float(row["size_x_mm"]), float(row["size_y_mm"])) == (0.25, 0.5)
    assert (float(row["middle_x_mm"]), float(row["middle_y_mm"])) == (1.25, 1.0)
    assert "[[5, 2], [6, 2], [6, 3], [5, 3], [5, 2]]" in write(box, tmp_path / "a.geojson").read_text()


@pytest.mark.parametrize("end", BOXES)
def test_no_box_is_a_valid_file(end: str, tmp_path: Path) -> None:
    none = Boxes.none(("cell",), SPACED)
    assert len(back(write(none, tmp_path / f"a{end}")).names) == 0


@pytest.mark.parametrize("end", OBJECTS)
def test_no_object_is_a_valid_file(end: str, tmp_path: Path) -> None:
    none = Instances.none(("cell",), SPACED)
    assert len(back(write(none, tmp_path / f"a{end}")).names) == 0


@pytest.mark.parametrize("end", [".xml", ".txt", ".json", ".geojson", ".zip"])
def test_flat_formats_refuse_volumes(end: str, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="x and y alone"):
        write(pixel_box(VOLUME), tmp_path / f"a{end}")
    assert not list(tmp_path.iterdir())
    path = write(pixel_box(), tmp_path / f"a{end}")
    with pytest.raises(LabelError, match="x and y alone"):
        back(path, VOLUME.shape)


def test_unknown_suffixes_name_those_that_work(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"\.csv, \.json"):
        write(pixel_box(), tmp_path / "a.png")
    with pytest.raises(OutputError, match=r"\.seg\.nrrd"):
        write(pixel_object(), tmp_path / "a.xyz")
    with pytest.raises(UnreadableError, match="no annotation"):
        opened(tmp_path / "a.xyz")


def test_names_and_suffixes_belong_together() -> None:
    assert set(NAMES.values()) == set(BOXES) | set(OBJECTS)
