from __future__ import annotations

from typing import Any

import nibabel
import numpy as np
import pytest

from isocenter import layouts
from isocenter.data import Segmentation
from isocenter.errors import TableError


def made(folder: Any, *, channels: int = 1, **changes: Any) -> None:
    for i in (1, 2):
        shape = (2, 3, 4) if channels == 1 else (channels, 2, 3, 4)
        array = np.arange(np.prod(shape), dtype=np.int16).reshape(shape)
        (folder.path / "imagesTr").mkdir(exist_ok=True)
        nibabel.save(nibabel.Nifti1Image(array.T, np.eye(4)), folder.path / f"imagesTr/h_{i}.nii.gz")
        folder.nifti(f"labelsTr/h_{i}.nii.gz", np.full((2, 3, 4), i, np.uint8))
    folder.nifti("imagesTs/h_9.nii.gz")
    names = ["T1", "T2"][:channels]
    folder.json({
        "name": "Hippocampus", "modality": {str(i): n for i, n in enumerate(names)},
        "labels": {"0": "background", "1": "Anterior", "2": "Posterior"}, "numTraining": 2,
        "training": [{"image": f"./imagesTr/h_{i}.nii.gz", "label": f"./labelsTr/h_{i}.nii.gz"} for i in (1, 2)],
        "test": ["./imagesTs/h_9.nii.gz"], **changes,
    }, "dataset.json")


def test_pairs_and_labels(folder: Any) -> None:
    made(folder)
    cases = layouts.read(folder.path, task="segment")
    assert (cases.layout, cases.name, cases.classes) == ("decathlon", "Hippocampus", ("Anterior", "Posterior"))
    assert cases.codes == {"background": 0, "Anterior": 1, "Posterior": 2} and cases.splits == {"": 2}
    case = cases[1]
    truth = case.truth()
    assert case.id == "imagesTr/h_2" and isinstance(truth, Segmentation) and truth.mask("Posterior").all()
    assert case.image().modality == "MR" and cases.unused == {"no truth": 1}


def test_images_for_testing_are_listed_without_truth(folder: Any) -> None:
    made(folder)
    cases = layouts.read(folder.path)
    assert cases.splits == {"": 2, "unlabelled": 1} and cases.tasks == ("segment",)


def test_the_fourth_axis_is_channels(folder: Any) -> None:
    made(folder, channels=2)
    image = layouts.read(folder.path, task="segment")[0].image()
    assert (image.axes, image.shape, image.channels, image.modality) == ("czyx", (2, 2, 3, 4), ("T1", "T2"), "MR")


def test_faults_are_named(folder: Any) -> None:
    made(folder, numTraining=5)
    assert "numTraining says 5, the list holds 2" in layouts.read(folder.path).problems[0].what
    (folder.path / "labelsTr/h_2.nii.gz").unlink()
    with pytest.raises(TableError, match=r"entry 2 of 'training'.*labelsTr/h_2"):
        layouts.read(folder.path, task="segment")
    assert len(layouts.survey(folder.path, task="segment")) == 1
    made(folder, training=[{"label": "x"}])
    with pytest.raises(TableError, match="names no image"):
        layouts.read(folder.path)
    made(folder, labels=["a"])
    with pytest.raises(TableError, match="'labels' is not an object"):
        layouts.read(folder.path)
