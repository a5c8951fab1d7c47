"""Random boxes and objects through every format and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from isocenter.data import Boxes, Geometry, Image, Instances
from isocenter.io import read_image, read_labels, to_nibabel, to_pandas, to_sitk, write
from isocenter.io.annotations import BOXES, OBJECTS, opened
from isocenter.io.annotations.marks import cropped

SHAPE = (40, 56)
GRID = Geometry.from_spacing(SHAPE, (0.5, 0.25))
CLASSES = ("cell", "red & white", "Größe")


def boxes(seed: int, n: int = 12) -> Boxes:
    rng = np.random.default_rng(seed)
    low = rng.uniform(-0.5, 30, (n, 2))
    high = np.minimum(low + rng.uniform(0.5, 20, (n, 2)), np.asarray(SHAPE) - 0.5)
    return Boxes(np.stack([low, high], axis=1), rng.integers(0, 3, n), CLASSES, GRID, rng.uniform(0, 1, n).round(4))


def objects(seed: int, n: int = 9) -> Instances:
    rng = np.random.default_rng(seed)
    crops = []
    while len(crops) < n:
        mask = np.zeros(SHAPE, bool)
        y, x = rng.integers(0, 30, 2)
        # Ragged, with holes, in several parts, and over each other.
        mask[y : y + 10, x : x + 14] = rng.random((10, 14)) < rng.choice([0.2, 0.5, 0.9, 1.0])
        if (crop := cropped(mask)) is not None:
            crops.append(crop)
    return Instances(
        np.asarray([c[0] for c in crops]), tuple(c[1] for c in crops), rng.integers(0, 3, n), CLASSES, GRID,
        rng.uniform(0, 1, n).round(4),
    )  # fmt: skip


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("end", BOXES)
def test_boxes_come_back(end: str, seed: int, tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("\n".join(CLASSES), encoding="utf-8")
    made = boxes(seed)
    marks = opened(write(made, tmp_path / f"a{end}")).marks(str(tmp_path / "a.png"), SHAPE)
    # ImageJ keeps corners in single precision.
    assert np.allclose(marks.edges, made.edges, atol=1e-5 if end == ".zip" else 1e-7)
    assert [CLASSES.index(n) for n in marks.names] == made.labels.tolist()
    assert marks.faults(SHAPE) == {} and marks.leaving(SHAPE) == []
    if end != ".xml":
        assert marks.scores is not None and np.allclose(marks.scores, made.scores)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("end", [e for e in OBJECTS if e != ".csv"])
def test_objects_come_back_pixel_by_pixel(end: str, seed: int, tmp_path: Path) -> None:
    made = objects(seed)
    marks = opened(write(made, tmp_path / f"a{end}")).marks(str(tmp_path / "a.png"), SHAPE)
    labels = [CLASSES.index(n) for n in marks.names]
    again = marks.instances(range(len(labels)), labels, classes=CLASSES, geometry=GRID)
    assert labels == made.labels.tolist() and np.array_equal(again.areas, made.areas)
    for i in range(len(made)):
        whole, other = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
        whole[made.where(i)] = made.masks[i]
        other[again.where(i)] = again.masks[i]
        assert np.array_equal(whole, other), f"object {i} of {end}"
    assert np.allclose(marks.edges, made.boxes().edges)
    assert marks.scores is not None and np.allclose(marks.scores, made.scores)


def test_a_table_of_objects_has_their_boxes(tmp_path: Path) -> None:
    made = objects(2)
    marks = opened(write(made, tmp_path / "a.csv")).marks("a", SHAPE)
    assert np.allclose(marks.edges, made.boxes().edges) and marks.crop is None


@pytest.mark.parametrize(("end", "n"), [(".tif", 66_000), (".png", 300), (".nii.gz", 300)])
def test_many_objects_take_as_many_bits_as_they_need(end: str, n: int, tmp_path: Path) -> None:
    side = 260
    starts = np.stack(np.divmod(np.arange(n), side), axis=1)
    one = np.ones((1, 1), bool)
    grid = Geometry.from_spacing((side, side), (0.5, 0.25))
    made = Instances(starts, (one,) * n, np.zeros(n, np.int64), ("a",), grid)
    array, geometry = read_labels(write(made, tmp_path / f"a{end}"))
    assert array.max() == n and np.array_equal(array, made.label_map())
    assert array.dtype == (np.uint16 if n < 65536 else np.int32)
    assert end == ".png" or geometry.spacing == pytest.approx((0.5, 0.25))


def test_objects_leave_for_other_libraries() -> None:
    pytest.importorskip("SimpleITK")
    grid = Geometry.from_spacing((3, 4, 5), (2.0, 0.5, 0.25))
    made = Instances(np.array([[1, 2, 3]]), (np.ones((1, 1, 1), bool),), np.array([0]), ("a",), grid)
    assert np.asarray(to_nibabel(made).dataobj)[3, 2, 1] == 1
    assert to_sitk(made).GetPixel(3, 2, 1) == 1


def test_the_image_gives_its_name_to_the_files(tmp_path: Path) -> None:
    path = write(Image.from_array(np.zeros(SHAPE, np.uint8)), tmp_path / "cells.png")
    image = read_image(path)
    made = boxes(0)
    assert '"file_name": "cells.png"' in write(made, tmp_path / "x.json", like=image).read_text()
    assert "<filename>cells.png</filename>" in write(made, tmp_path / "x.xml", like=image).read_text()


def test_objects_and_boxes_are_tables_of_pandas() -> None:
    made = to_pandas(objects(0))
    assert len(made) == 9 and list(made["id"]) == list(range(1, 10)) and "area_mm2" in made.columns
    assert list(to_pandas(Boxes.none(CLASSES, GRID)).columns)[:3] == ["id", "class", "score"]
    assert (to_pandas(boxes(0))["xmax"] > to_pandas(boxes(0))["xmin"]).all()
