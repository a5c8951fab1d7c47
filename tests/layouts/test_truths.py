from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from isocenter import io
from isocenter.data import Case, Probabilities, Segmentation
from isocenter.errors import AmbiguousError, GeometryError, LabelError, MissingFileError, NotFoundError, TableError
from isocenter.layouts.regions import Regions
from isocenter.layouts.truths import Classes, Masks, beside, given

VESSEL = Masks(Regions.declared({"background": ["0"], "vessel": ["255"]}, "t"))
DX = Classes(("0", "1"), {"0": "0", "1": "1"}, positive="1")


def case(folder: Any, name: str = "images/a.png") -> Case:
    path = folder.path / folder.png(name, np.zeros((4, 5), np.uint8))
    return Case("images/a", {"image": io.read_image(path)})


def test_masks_become_segmentations_on_the_images_grid(folder: Any) -> None:
    image = io.read_image(folder.path / folder.nifti("a.nii.gz"))
    mask = np.zeros((2, 3, 4), np.uint8)
    mask[1, 2, 3] = 255
    found = VESSEL.read(str(folder.path / folder.nifti("m.nii.gz", mask)), image)
    assert isinstance(found, Segmentation) and found.names == ("background", "vessel")
    assert np.argwhere(found.labels).tolist() == [[1, 2, 3]] and found.geometry == image.geometry


def test_a_mask_that_lies_elsewhere_is_refused_unless_repaired(folder: Any) -> None:
    image = io.read_image(folder.path / folder.nifti("a.nii.gz"))
    path = str(folder.path / folder.nifti("m.nii.gz", np.full((2, 3, 4), 255, np.uint8), affine=np.diag([1, 1, 2, 1])))
    with pytest.raises(GeometryError, match="lies elsewhere"):
        VESSEL.read(path, image)
    assert Masks(VESSEL.regions, repair=True).read(path, image).mask("vessel").all()


def test_text_is_a_class_and_a_number_may_be_a_probability(folder: Any) -> None:
    image = case(folder).image()
    assert DX.truth("1.0", "x").label == "1"
    assert DX.cell(folder.path, "1", image).values == (0.0, 1.0)
    assert DX.cell(folder.path, "0.25", image).values == (0.75, 0.25)
    with pytest.raises(LabelError, match=r"neither a class nor a probability.*probability of 1, 0 to 1"):
        DX.cell(folder.path, "2", image)
    with pytest.raises(LabelError, match=r"neither a class nor a probability.*needed one of a, b\.$"):
        Classes(("a", "b"), {"a": "a", "b": "b"}).cell(folder.path, "0.25", image)
    with pytest.raises(LabelError, match="not a class"):
        DX.cell(folder.path, "maybe", image)


def test_several_classes_at_once() -> None:
    several = Classes(("a", "b", "c"), {"a": "a", "b": "b", "c": "c"}, multilabel=True)
    assert several.truth("a;c", "x").values == (1.0, 0.0, 1.0)
    assert several.truth(";", "x").values == (0.0, 0.0, 0.0)


def test_findings_are_given_by_column_or_folder(folder: Any) -> None:
    c = case(folder)
    folder.png("second/a.png", np.full((4, 5), 255, np.uint8))
    load = given(VESSEL, c, base=folder.path, cell={"observer": "second/a.png", "empty": ""}.get)
    by_column, by_folder = load("observer"), load(str(folder.path / "second"))
    assert isinstance(by_column, Segmentation) and isinstance(by_folder, Segmentation)
    assert np.array_equal(by_column.labels, by_folder.labels) and by_column.mask("vessel").all()
    with pytest.raises(TableError, match="'empty' is empty for this case"):
        load("empty")
    with pytest.raises(NotFoundError, match="neither a column nor a folder"):
        load("nowhere")


def test_a_file_is_found_by_image_name_or_id(folder: Any) -> None:
    c = case(folder)
    folder.text("out/images_a.nii.gz", "x")
    assert beside(folder.path / "out", c, (".png", ".nii.gz")).name == "images_a.nii.gz"
    folder.text("out/a.png", "x")
    with pytest.raises(AmbiguousError, match="several files"):
        beside(folder.path / "out", c, (".png", ".nii.gz"))
    with pytest.raises(MissingFileError, match="no file for this case"):
        beside(folder.path / "images", c, (".tif",))


def test_answers_in_text_and_json_files(folder: Any) -> None:
    c = case(folder)
    folder.text("t/a.txt", "1\n")
    folder.json({"0": 0.25, "1": 0.75}, "j/a.json")
    load = given(DX, c, base=folder.path, cell={}.get)
    text, weighed = load(str(folder.path / "t")), load(str(folder.path / "j"))
    assert isinstance(text, Probabilities) and isinstance(weighed, Probabilities)
    assert text.label == "1" and weighed.values == (0.25, 0.75)
    for wrong in ({"0": 1}, {"0": "x", "1": 0}, {"0": 0.7, "1": 0.7}):
        folder.json(wrong, "j/a.json")
        with pytest.raises(LabelError):
            load(str(folder.path / "j"))
