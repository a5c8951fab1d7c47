from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image as Pillow

from isocenter.data import (
    Boxes,
    Geometry,
    Image,
    Instances,
    Probabilities,
    Segmentation,
    Source,
    Study,
    Tracks,
    Transform,
    Value,
    Values,
    as_settings,
)
from isocenter.data.findings.transform import Linear, Polynomial
from isocenter.errors import UsageError
from isocenter.io import read_image, read_labels
from isocenter.io.transforms import read_transform
from isocenter.verbs._writing import answer_of, asked_formats, caution, plain, planned, written


def image(kind: str, *, ndim: int = 2) -> Image:
    array = np.zeros((4, 5, 6)[:ndim], np.uint8)
    made = Image.from_array(array, spacing=(2.0, 1.0, 1.0)[:ndim])
    return Image(made.load, made.shape, made.axes, made.dtype, made.geometry, source=Source(("x",), kind))


@pytest.mark.parametrize(
    ("kind", "ndim", "name"),
    [
        ("nifti", 3, "a.nii.gz"),
        ("dicom", 2, "a.nii.gz"),
        ("png", 2, "a.png"),
        ("jpeg", 2, "a.png"),
        ("tiff", 2, "a.tif"),
        ("npy", 2, "a.npy"),
        ("array", 3, "a.nii.gz"),
        ("array", 2, "a.png"),
    ],
)
def test_the_format_follows_the_input(kind: str, ndim: int, name: str) -> None:
    assert planned("a", image(kind, ndim=ndim), task="segment", out=None) == {
        "answer": name,
        "overlay": "a_overlay.png",
    }


def test_a_named_file_is_one_file_and_a_class_is_a_row() -> None:
    assert planned("a", image("png"), task="segment", out=Path("out/b.tif")) == {"answer": "b.tif"}
    assert planned("a", image("png"), task="classify", out=None) == {}


def test_labels_get_the_numbers_of_the_training_data(tmp_path: Path) -> None:
    labels = np.zeros((4, 5), np.uint8)
    labels[1:3, 1:3] = 1
    found = Segmentation(labels, ("background", "disc"), Geometry((4, 5)))
    files = {"answer": "a.png", "overlay": "a_overlay.png"}
    assert written(found, image("png"), folder=tmp_path, files=files, codes={"background": 0, "disc": 255}) == [
        "a.png",
        "a_overlay.png",
    ]
    assert set(np.unique(np.asarray(Pillow.open(tmp_path / "a.png")))) == {0, 255}
    # Codes of other regions say nothing about these.
    written(found, image("png"), folder=tmp_path, files={"answer": "b.png"}, codes={"background": 0, "lung": 255})
    assert set(np.unique(np.asarray(Pillow.open(tmp_path / "b.png")))) == {0, 1}


def test_a_volume_keeps_its_place(tmp_path: Path) -> None:
    seen = image("nifti", ndim=3)
    found = Segmentation(np.ones((4, 5, 6), np.uint8), ("background", "disc"), seen.geometry)
    written(found, seen, folder=tmp_path, files={"answer": "a.nii.gz"}, codes={})
    assert nibabel.load(tmp_path / "a.nii.gz").header.get_zooms() == (1.0, 1.0, 2.0)
    assert answer_of(found) == {"disc pixels": 120, "disc ml": 0.24}


def test_answers_as_rows() -> None:
    found = Segmentation(np.ones((2, 2), np.uint8), ("background", "disc"), Geometry.from_spacing((2, 2), (2.0, 1.0)))
    assert answer_of(found) == {"disc pixels": 4, "disc mm2": 8.0}
    assert answer_of(Probabilities(("a", "b"), (0.25, 0.75))) == {"decision": "b", "a": 0.25, "b": 0.75}
    assert answer_of(Values({"volume": Value(3.5, "ml")})) == {"volume ml": 3.5}
    reached = {"age years": 60.0, "age low": 52.5, "age high": 67.5}
    assert answer_of(Values({"age": Value(60.0, "years", 52.5, 67.5)})) == reached


def test_settings_are_plain() -> None:
    made = plain({"study": as_settings(Study(epochs=2)), "of": object(), "shape": (1, 2)})
    assert made["study"]["epochs"] == 2 and made["of"] == "object" and made["shape"] == [1, 2]


def boxes(geometry: Geometry, *, n: int = 1) -> Boxes:
    edges = np.stack([np.full((n, geometry.ndim), 0.5), np.full((n, geometry.ndim), 2.5)], axis=1)
    return Boxes(edges, np.arange(n) % 2, ("a", "b"), geometry, np.full(n, 0.5))


def objects(geometry: Geometry) -> Instances:
    masks = (np.ones((2,) * geometry.ndim, bool),) * 2
    return Instances(np.array([[0] * geometry.ndim, [1] * geometry.ndim]), masks, np.array([0, 0]), ("a",), geometry)


def test_boxes_are_a_table_coco_and_a_picture(tmp_path: Path) -> None:
    flat = planned("a", image("png"), task="detect", out=None)
    assert flat == {"answer": "a.csv", "coco": "a.json", "overlay": "a_overlay.png"}
    assert "coco" not in planned("a", image("nifti", ndim=3), task="detect", out=None)
    more = planned("a", image("png"), task="detect", out=None, formats=("yolo", "coco"))
    seen = image("png")
    kept = written(boxes(seen.geometry), seen, folder=tmp_path, files=more, codes={})
    assert kept == ["a.csv", "a_overlay.png", "a.json", "a.txt", "classes.txt"]
    assert (tmp_path / "classes.txt").read_text() == "a\nb\n"
    header = (tmp_path / "a.csv").read_text().splitlines()[0]
    assert header.startswith("id,class,score,xmin,ymin,xmax,ymax,size_x_mm,size_y_mm")


@pytest.mark.parametrize(
    ("kind", "ndim", "label"), [("png", 2, "a.tif"), ("tiff", 2, "a.tif"), ("nifti", 3, "a.nii.gz")]
)
def test_objects_are_a_label_map_a_table_and_a_picture(kind: str, ndim: int, label: str, tmp_path: Path) -> None:
    seen = image(kind, ndim=ndim)
    files = planned("a", seen, task="instances", out=None, formats=("nrrd",))
    assert files == {"answer": label, "csv": "a.csv", "overlay": "a_overlay.png", "nrrd": "a.seg.nrrd"}
    kept = written(objects(seen.geometry), seen, folder=tmp_path, files=files, codes={})
    assert kept == list(dict.fromkeys([label, "a_overlay.png", "a.csv", "a.seg.nrrd"]))
    array, geometry = read_labels(tmp_path / label)
    assert array.dtype == np.uint16 and array.max() == 2 and geometry.spacing == pytest.approx(seen.geometry.spacing)


def test_counts_stand_in_the_row() -> None:
    grid = Geometry.from_spacing((4, 5), (2.0, 1.0))
    assert answer_of(boxes(grid, n=3)) == {"boxes": 3, "a": 2, "b": 1}
    # Pixels that several objects claim are said, because a label map shows one of them alone.
    assert answer_of(objects(grid)) == {"objects": 2, "mean area px": 4.0, "mean area mm2": 8.0, "overlap px": 1}
    assert answer_of(Instances.none(("a",), grid)) == {"objects": 0}


def test_objects_of_single_slices_are_told() -> None:
    numbers = np.zeros((3, 6, 6), np.uint8)
    numbers[0, :3, :3], numbers[1, :3, :3] = 1, 2
    found = Instances.from_label_map(numbers, Geometry(numbers.shape))
    assert "counted in each" in caution(found) and "counted in each" in caution(found.boxes())
    numbers[numbers == 2] = 1
    through, flat = (Instances.from_label_map(n, Geometry(n.shape)) for n in (numbers, numbers[0]))
    assert caution(through) == caution(flat) == caution(through.boxes()) == ""
    assert caution(found.chosen(np.array([0]))) == "", "one slice alone tells nothing"


def test_formats_are_those_of_the_task() -> None:
    assert asked_formats(["coco", "voc", "coco"], "detect") == ("coco", "voc") and asked_formats((), "segment") == ()
    with pytest.raises(UsageError, match="no format 'voc' for instances"):
        asked_formats(["voc"], "instances")
    with pytest.raises(UsageError, match="Did you mean geojson"):
        asked_formats(["geojsn"], "detect")
    with pytest.raises(UsageError, match="not for segment"):
        asked_formats(["coco"], "segment")


def test_a_transform_is_a_field_its_matrix_and_the_moved_image(tmp_path: Path) -> None:
    fixed = image("png")
    moving = Image.from_array(np.arange(42.0).reshape(6, 7), spacing=(2.0, 1.0))
    grid = fixed.geometry
    part = Linear(np.array([[1.0, 0, 1], [0, 1, 2], [0, 0, 1]]))
    moved = Transform((part,), grid, moving.geometry, (("inliers", 9.0),))
    files = planned("a", fixed, task="register", out=None)
    kept = written(moved, fixed, folder=tmp_path, files=files, codes={}, moving=moving)
    assert kept == ["a_field.npz", "a_moved.tif"]
    again = read_transform(tmp_path / "a_field.npz", grid, moving.geometry)
    assert np.allclose(again.indices(np.array([[0.0, 0], [3, 4]])), [[1, 1], [4, 5]])
    assert np.allclose(read_image(tmp_path / "a_moved.tif").pixels(), np.arange(42.0).reshape(6, 7)[1:5, 1:6])
    row = answer_of(moved)
    assert (row["m02"], row["m12"], row["m22"], row["inliers"]) == (1, 2, 1, 9)
    volume = planned("a", image("nifti", ndim=3), task="register", out=None)
    assert (volume["answer"], volume["moved"], volume["blink"]) == ("a_field.nii.gz", "a_moved.nii.gz", "a_blink.gif")
    assert planned("a", fixed, task="register", out=Path("b.tfm")) == {"answer": "b.tfm"}
    bent = Transform((Polynomial(np.eye(3, 2), 1, np.zeros(2), 1.0),), grid, grid)
    assert answer_of(bent) == {}


def test_tracks_are_a_table_and_counted(tmp_path: Path) -> None:
    grid = Geometry.from_spacing((9, 9), (0.5, 0.5))
    frames, numbers = np.array([0, 1, 2, 0]), np.array([1, 1, 1, 2])
    places = np.array([[1.0, 1], [1, 3], [1, 5], [7, 7]])
    found = Tracks.of(frames, numbers, places, grid, length=3, times=(0.0, 2.0, 4.0))
    film = Image.from_array(np.zeros((3, 9, 9), np.uint8), axes="tyx", geometry=grid)
    files = planned("a", film, task="track", out=None)
    assert written(found, film, folder=tmp_path, files=files, codes={})[0] == "a.csv"
    head = "track,frame,seconds,x,y,x_mm,y_mm,speed_mm_per_s,mean_0,parent"
    assert (tmp_path / "a.csv").read_text().splitlines()[0] == head
    assert answer_of(found) == {"tracks": 2, "points": 4, "divisions": 0, "median_speed_mm_per_s": 0.5}
    assert answer_of(Tracks.none(grid, 2)) == {"tracks": 0, "points": 0, "divisions": 0}
