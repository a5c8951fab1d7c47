from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isocenter import layouts
from isocenter.data import Boxes
from isocenter.layouts import voc

BOX = "<bndbox><xmin>5</xmin><ymin>3</ymin><xmax>7</xmax><ymax>4</ymax></bndbox>"


@pytest.fixture(params=[("Annotations", "JPEGImages"), ("annotations", "images")])
def made(folder: Any, request: pytest.FixtureRequest) -> Path:
    notes, pictures = request.param
    for i in range(3):
        folder.png(f"{pictures}/{i:06d}.png", np.zeros((10, 20), np.uint8))
    objects = f"<object><name>dog</name><difficult>1</difficult>{BOX}</object><object><name>cat</name>{BOX}</object>"
    folder.text(f"{notes}/000000.xml", f"<annotation>{objects}</annotation>")
    folder.text(f"{notes}/000001.xml", "<annotation/>")
    folder.text(f"{notes}/000009.xml", "<annotation/>")
    folder.text("ImageSets/Main/train.txt", "000000\n")
    folder.text("ImageSets/Main/val.txt", "000001 1\n000002 -1\n")
    return Path(folder.path)


def test_annotations_images_and_lists(made: Path) -> None:
    cases = layouts.read(made)
    assert cases.layout == "voc" and cases.tasks == ("detect",) and cases.splits == {"train": 1, "val": 2}
    assert [p.got for p in cases.problems if p.code == "annotation-alone"] == ["000009"]
    boxes = layouts.read(made, task="detect")
    truth = boxes[0].truth()
    assert boxes.classes == ("cat", "dog") and isinstance(truth, Boxes) and truth.labels.tolist() == [1, 0]
    assert truth.ignored is not None and truth.ignored.tolist() == [True, False]
    assert truth.edges[0].tolist() == [[1.5, 3.5], [3.5, 6.5]]


def test_without_a_file_nobody_looked_and_without_an_object_there_is_none(made: Path) -> None:
    boxes = layouts.read(made, task="detect")
    assert len(boxes) == 2 and boxes.unused == {"no truth": 1} and len(boxes[1].truth()) == 0  # type: ignore[arg-type]


def test_other_folders_are_not_claimed(folder: Any) -> None:
    folder.png("images/a.png")
    assert not voc.claims(folder.path) and not voc.claims(folder.path / "images" / "a.png")
    folder.text("annotations/a.txt", "")
    assert not voc.claims(folder.path)
