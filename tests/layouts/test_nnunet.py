from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from isocenter import layouts
from isocenter.data import Segmentation
from isocenter.errors import GeometryError, TableError

BASE = {"channel_names": {"0": "CT", "1": "PET"}, "labels": {"background": 0, "tumour": 1, "ignore": 2},
        "numTraining": 2, "file_ending": ".nii.gz"}


def made(folder: Any, name: str = "dataset.json", **changes: Any) -> None:
    for case in ("a", "b"):
        for channel in (0, 1):
            folder.nifti(f"imagesTr/{case}_{channel:04d}.nii.gz", np.full((2, 3, 4), channel, np.int16))
        folder.nifti(f"labelsTr/{case}.nii.gz", np.full((2, 3, 4), 1, np.uint8))
    folder.json({**BASE, **changes}, name)


def test_channels_of_a_case_become_one_image(folder: Any) -> None:
    made(folder)
    cases = layouts.read(folder.path, task="segment")
    assert (cases.layout, cases.classes, [e.id for e in cases.entries]) == ("nnunet", ("tumour",), ["a", "b"])
    image = cases[0].image()
    assert (image.axes, image.shape, image.channels) == ("czyx", (2, 2, 3, 4), ("CT", "PET"))
    assert image.pixels()[:, 0, 0, 0].tolist() == [0, 1] and image.modality is None
    truth = cases[0].truth()
    assert isinstance(truth, Segmentation) and truth.mask("tumour").all() and cases.codes["ignore"] == 2


def test_capitals_of_the_name_do_not_matter(folder: Any) -> None:
    made(folder, "Dataset.json")
    assert layouts.read(folder.path).layout == "nnunet"


def test_one_channel_keeps_its_axes_and_modality(folder: Any) -> None:
    made(folder, channel_names={"0": "CT"})
    image = layouts.read(folder.path)[0].image()
    assert (image.axes, image.modality) == ("zyx", "CT")


def test_test_images_are_test_where_they_have_labels(folder: Any) -> None:
    made(folder)
    for name in ("x", "y"):
        folder.nifti(f"imagesTs/{name}_0000.nii.gz"), folder.nifti(f"imagesTs/{name}_0001.nii.gz")
    folder.nifti("labelsTs/x.nii.gz", np.zeros((2, 3, 4), np.uint8))
    assert layouts.read(folder.path).splits == {"": 2, "test": 1, "unlabelled": 1}
    assert layouts.read(folder.path, task="segment").splits == {"": 2, "test": 1}


def test_a_missing_channel_or_label_is_named(folder: Any) -> None:
    made(folder)
    (folder.path / "imagesTr/b_0001.nii.gz").unlink()
    with pytest.raises(TableError, match=r"case 'b' lacks a file.*b_0001.nii.gz"):
        layouts.read(folder.path)
    found = layouts.survey(folder.path)
    assert len(found) == 1 and any("numTraining says 2" in p.what for p in found.problems)


def test_channels_on_different_grids_are_refused_when_opened(folder: Any) -> None:
    made(folder)
    folder.nifti("imagesTr/a_0001.nii.gz", affine=np.diag([2, 2, 2, 1]))
    cases = layouts.read(folder.path)
    with pytest.raises(GeometryError, match="different grids"):
        cases[0].image()


def test_regions_that_overlap_fall_back_to_numbers(folder: Any) -> None:
    made(folder, labels={"background": 0, "whole": [1, 2], "core": [2], "ignore": 3})
    cases = layouts.read(folder.path, task="segment")
    assert cases.classes == ("1", "2") and any(p.code == "regions-overlap" for p in cases.problems)
    made(folder, labels={"background": 0, "both": [1, 2]})
    truth = layouts.read(folder.path, task="segment")[0].truth()
    assert isinstance(truth, Segmentation) and truth.mask("both").all()


def test_the_older_form_and_listed_cases(folder: Any) -> None:
    made(folder, channel_names=None, modality={"0": "CT", "1": "PET"}, labels={"0": "background", "1": "tumour"})
    assert layouts.read(folder.path, task="segment").classes == ("tumour",)
    images = ["imagesTr/b_0000.nii.gz", "imagesTr/b_0001.nii.gz"]
    made(folder, dataset={"k": {"images": images, "label": "labelsTr/b.nii.gz"}}, numTraining=1)
    cases = layouts.read(folder.path, task="segment")
    assert [e.id for e in cases.entries] == ["k"] and cases[0].image().shape == (2, 2, 3, 4)
    made(folder, dataset={"k": {"images": ["gone.nii.gz"]}})
    with pytest.raises(TableError, match="case 'k' names a file that is not there"):
        layouts.read(folder.path)
