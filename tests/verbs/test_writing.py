from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image as Pillow

from isocenter.data import Geometry, Image, Probabilities, Segmentation, Source, Study, Value, Values, as_settings
from isocenter.verbs._writing import answer_of, plain, planned, written


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


def test_settings_are_plain() -> None:
    made = plain({"study": as_settings(Study(epochs=2)), "of": object(), "shape": (1, 2)})
    assert made["study"]["epochs"] == 2 and made["of"] == "object" and made["shape"] == [1, 2]
