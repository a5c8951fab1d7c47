from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isocenter import layouts
from isocenter.errors import MissingFileError, UnreadableError, UsageError
from isocenter.layouts import choosing


def test_the_more_explicit_convention_comes_first(folder: Any) -> None:
    folder.png("ill/a.png"), folder.png("ill/b.png"), folder.png("well/c.png"), folder.png("well/d.png")
    assert layouts.layout_of(folder.path) == "class_folders"
    folder.csv([["image"], ["ill/a.png"]], "any.csv")
    assert layouts.layout_of(folder.path) == "table"
    folder.json({"training": [], "modality": {}}, "dataset.json")
    assert layouts.layout_of(folder.path) == "decathlon"
    folder.csv([["image"], ["ill/a.png"]])
    assert layouts.layout_of(folder.path) == "table"


def test_nothing_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="no such file"):
        layouts.read(tmp_path / "gone")
    with pytest.raises(MissingFileError, match="folder is empty"):
        layouts.read(tmp_path)


def test_a_folder_of_other_things_is_refused(folder: Any) -> None:
    folder.text("notes.txt", "x")
    with pytest.raises(UnreadableError, match="nothing here that a layout understands") as error:
        layouts.read(folder.path)
    assert "column 'image'" in error.value.remedy


def test_what_is_no_data_is_refused() -> None:
    with pytest.raises(UsageError, match="not data"):
        layouts.read(3)


def test_every_convention_describes_itself() -> None:
    said = layouts.describe()
    assert list(said) == list(choosing.ORDER) and all(len(line) > 20 for line in said.values())
    for name in choosing.ORDER:
        assert callable(choosing.module(name).claims) and callable(choosing.module(name).read)


def test_the_convention_is_recorded(folder: Any) -> None:
    folder.png("a.png", np.zeros((3, 3), np.uint8))
    assert layouts.read(folder.path).layout == "image_folder"
    assert layouts.read(folder.path / "a.png").layout == "one_file"


def test_non_ascii_paths(folder: Any) -> None:
    folder.png("表/図/肺 é.png"), folder.png("表/図/b.png")
    folder.csv([["image", "label"], ["図/肺 é.png", "正常"], ["図/b.png", "肺炎"]], "表/manifest.csv")
    cases = layouts.read(folder.path / "表", task="classify")
    assert cases.classes == ("正常", "肺炎") and cases[0].id == "図/肺 é" and cases[0].image().pixels().shape == (4, 5)
