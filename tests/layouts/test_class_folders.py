from __future__ import annotations

from typing import Any

import pytest

from isocenter import layouts
from isocenter.data import Probabilities
from isocenter.layouts import class_folders


def test_folders_are_classes(folder: Any) -> None:
    for name in ("normal/1.png", "normal/2.png", "pneumonia/1.png", "pneumonia/3.png", "pneumonia/4.png"):
        folder.png(name)
    folder.text("normal/notes.txt", "x")
    cases = layouts.read(folder.path, task="classify")
    assert (cases.layout, cases.classes, cases.positive) == ("class_folders", ("normal", "pneumonia"), "pneumonia")
    assert [e.id for e in cases.entries][:3] == ["normal/1", "normal/2", "pneumonia/1"]
    truth = cases[2].truth()
    assert isinstance(truth, Probabilities) and truth.label == "pneumonia" and cases.splits == {"": 5}
    assert not cases.subjects_known and any(p.code == "patients-unknown" for p in cases.problems)


def test_splits_stand_above_classes(folder: Any) -> None:
    for split in ("Training", "valid", "test"):
        for name in ("0/a.png", "0/b.png", "10/a.png", "9/b.png", "9/c.png", "10/d.png"):
            folder.png(f"{split}/{name}")
    cases = layouts.read(folder.path, task="classify")
    assert cases.splits == {"train": 6, "test": 6, "val": 6} and cases.classes == ("0", "9", "10")


@pytest.mark.parametrize(
    "names",
    [
        ("images/1.png", "images/2.png", "masks/1.png", "masks/2.png"),
        ("a/1.png", "a/2.png", "b/1.png", "b/2.png", "top.png"),
        ("sub-1/a.nii.gz", "sub-2/a.nii.gz", "sub-3/a.nii.gz"),
        ("a/1.png", "a/2.png"),
        ("s1/1.dcm", "s1/2.dcm", "s2/1.dcm", "s2/2.dcm"),
    ],
)
def test_what_only_looks_alike_is_not_claimed(folder: Any, names: tuple[str, ...]) -> None:
    for name in names:
        folder.text(name, "x")
    assert not class_folders.claims(folder.path)


def test_files_that_differ_in_suffix_alone(folder: Any) -> None:
    for name in ("a/1.png", "a/1.jpg", "b/1.png", "b/2.png"):
        folder.text(name, "x")
    assert [e.id for e in layouts.read(folder.path).entries] == ["a/1.jpg", "a/1.png", "b/1", "b/2"]
