from __future__ import annotations

from typing import Any

import pytest

from isocenter.errors import UnreadableError
from isocenter.layouts import scanning


def test_images_are_named_like_images_and_visible(folder: Any) -> None:
    for name in ("b.png", "a.nii.gz", ".hidden.png", "._a.png", "notes.txt", "arrays.npz"):
        folder.text(name, "x")
    (folder.path / "folder.png").mkdir()
    assert [p.name for p in scanning.images(folder.path)] == ["a.nii.gz", "b.png"]


def test_below_goes_down_in_order(folder: Any) -> None:
    for name in ("z.png", "b/x.png", "a/y.png", ".git/no.png"):
        folder.text(name, "x")
    assert [scanning.relative_id(folder.path, p) for p in scanning.below(folder.path)] == ["z", "a/y", "b/x"]
    assert [p.name for p in scanning.folders(folder.path)] == ["a", "b"]


def test_dicom_is_known_by_its_prefix(folder: Any) -> None:
    (folder.path / "IM0").write_bytes(b"\0" * 128 + b"DICM")
    folder.text("IM1", "short")
    assert scanning.looks_dicom(folder.path / "IM0") and not scanning.looks_dicom(folder.path / "IM1")
    assert scanning.looks_dicom(folder.path / "any.dcm") and not scanning.looks_dicom(folder.path)


def test_json_of_others_is_read_with_care(folder: Any) -> None:
    folder.json({"a": 1}, "Dataset.JSON")
    found = scanning.json_named(folder.path, "dataset.json")
    assert found is not None and scanning.json_object(found) == {"a": 1}
    assert scanning.json_named(folder.path, "other.json") is None
    for text in ("[1]", "{", "null"):
        with pytest.raises(UnreadableError):
            scanning.json_object(folder.text("x.json", text))


def test_a_dataset_json_is_found_by_its_folder_or_its_own_path(folder: Any) -> None:
    assert scanning.dataset_json(folder.path) is None
    own = folder.json({"name": "x"}, "Dataset.json")
    assert scanning.dataset_json(folder.path) == scanning.dataset_json(own) == {"name": "x"}
    assert scanning.dataset_json(folder.json({"name": "x"}, "other.json")) is None
    folder.text("Dataset.json", "{")
    assert scanning.dataset_json(folder.path) is None
