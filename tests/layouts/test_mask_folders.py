from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from isocenter import layouts
from isocenter.data import Boxes, Instances
from isocenter.errors import LabelError
from isocenter.layouts import mask_folders


def made(folder: Any, root: str = "") -> None:
    mask = np.zeros((10, 20), np.uint8)
    mask[2:4, 5:8] = 255
    for i, name in enumerate(("abc", "def", "ghi")):
        folder.png(f"{root}{name}/images/{name}.png", np.zeros((10, 20), np.uint8))
        for k in range(i):
            folder.png(f"{root}{name}/masks/{k}.png", np.roll(mask, k, 1))
    (folder.path / root / "abc" / "masks").mkdir()


def test_each_folder_is_an_image_with_its_objects(folder: Any) -> None:
    made(folder)
    cases = layouts.read(folder.path, task="instances")
    assert cases.layout == "mask_folders" and cases.tasks == ("instances", "detect") and cases.classes == ("object",)
    assert [e.id for e in cases.entries] == ["abc", "def", "ghi"]
    found = [c.truth() for c in cases]
    assert all(isinstance(f, Instances) for f in found) and [len(f) for f in found] == [0, 1, 2]  # type: ignore[arg-type]
    assert found[2].areas.tolist() == [6, 6], "overlaps survive"  # type: ignore[union-attr]
    boxes = layouts.read(folder.path, task="detect")[1].truth()
    assert isinstance(boxes, Boxes) and boxes.edges.tolist() == [[[1.5, 4.5], [3.5, 7.5]]]


def test_splits_lie_above(folder: Any) -> None:
    made(folder, "stage1_train/")
    folder.png("stage1_test/xyz/images/xyz.png", np.zeros((10, 20), np.uint8))
    cases = layouts.read(folder.path)
    assert cases.splits == {"test": 1, "train": 3}
    assert layouts.read(folder.path, task="instances").unused == {"no truth": 1}


def test_a_mask_of_another_size_is_refused(folder: Any) -> None:
    made(folder)
    folder.png("ghi/masks/2.png", np.zeros((3, 3), np.uint8))
    with pytest.raises(LabelError, match="another size"):
        layouts.read(folder.path, task="instances")[2].truth()


def test_other_folders_are_not_claimed(folder: Any) -> None:
    for name in "abc":
        folder.png(f"{name}/images/a.png")
    assert not mask_folders.claims(folder.path) and not mask_folders.claims(folder.path / "gone")
