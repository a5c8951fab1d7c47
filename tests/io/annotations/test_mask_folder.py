from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from isocenter.data import Geometry
from isocenter.errors import LabelError, MissingFileError
from isocenter.io.annotations import mask_folder

SHAPE = (6, 9)


def save(path: Path, *pixels: tuple[int, int], shape: tuple[int, int] = SHAPE) -> None:
    array = np.zeros(shape, np.uint8)
    for at in pixels:
        array[at] = 255
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.fromarray(array).save(path)


def test_each_mask_is_an_object_and_overlaps_survive(tmp_path: Path) -> None:
    save(tmp_path / "b.png", (2, 5), (2, 6))
    save(tmp_path / "a.png", (2, 5))
    (tmp_path / ".hidden.png").write_bytes(b"")
    found = mask_folder.read(tmp_path)
    marks = found.marks("x", SHAPE)
    assert found.classes == ("object",) and found.size("x") is None and mask_folder.claims(tmp_path)
    objects = marks.instances([0, 1], [0, 0], classes=("object",), geometry=Geometry(SHAPE))
    assert objects.areas.tolist() == [1, 2] and marks.edges[0].tolist() == [[1.5, 4.5], [2.5, 5.5]]


def test_folders_of_classes(tmp_path: Path) -> None:
    save(tmp_path / "wbc" / "1.png", (1, 1))
    save(tmp_path / "rbc" / "1.png", (3, 3))
    assert mask_folder.read(tmp_path).marks("x", SHAPE).names == ("rbc", "wbc")


def test_an_empty_folder_and_an_empty_mask(tmp_path: Path) -> None:
    assert len(mask_folder.read(tmp_path).marks("x", SHAPE).names) == 0
    save(tmp_path / "a.png")
    assert mask_folder.read(tmp_path).marks("x", SHAPE).faults(SHAPE) == {0: "without area"}


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="no such folder"):
        mask_folder.read(tmp_path / "none")
    save(tmp_path / "a.png", (1, 1), shape=(5, 5))
    with pytest.raises(LabelError, match="another size"):
        mask_folder.read(tmp_path).marks("x", SHAPE)
    PIL.Image.fromarray(np.arange(54, dtype=np.uint8).reshape(SHAPE)).save(tmp_path / "a.png")
    with pytest.raises(LabelError, match="several numbers"):
        mask_folder.read(tmp_path).marks("x", SHAPE)
