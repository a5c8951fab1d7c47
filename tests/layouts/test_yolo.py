from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isocenter import layouts
from isocenter.data import Boxes, Instances
from isocenter.errors import UnreadableError
from isocenter.layouts import yolo


@pytest.fixture(params=["{kind}/{split}/{name}", "{split}/{kind}/{name}"])
def made(folder: Any, request: pytest.FixtureRequest) -> Path:
    for split, names in (("train", "ab"), ("valid", "a")):
        for name in names:
            place = request.param.format(kind="images", split=split, name=f"{name}.png")
            folder.png(place, np.zeros((10, 20), np.uint8))
    folder.text(request.param.format(kind="labels", split="train", name="a.txt"), "1 0.275 0.25 0.05 0.1\n")
    folder.text(request.param.format(kind="labels", split="valid", name="a.txt"), "")
    folder.text("data.yaml", "names: [cat, dog, ant]\n")
    return Path(folder.path)


def test_images_labels_splits_and_names(made: Path) -> None:
    cases = layouts.read(made, task="detect")
    assert cases.layout == "yolo" and cases.splits == {"train": 2, "val": 1} and cases.tasks == ("detect",)
    assert cases.classes == ("cat", "dog", "ant"), "all names of the list, used or not"
    truth = cases[0].truth()
    assert isinstance(truth, Boxes) and truth.labels.tolist() == [1]
    assert np.allclose(truth.edges, [[[1.5, 4.5], [2.5, 5.5]]])


def test_an_image_without_a_text_file_has_no_objects_and_that_is_said(made: Path) -> None:
    cases = layouts.read(made, task="detect")
    assert [len(c.truth()) for c in cases] == [1, 0, 0]  # type: ignore[arg-type]
    (said,) = (p.what for p in cases.problems if p.code == "no-label-file")
    assert said.startswith("1 image without a text file")


def test_outlines_are_objects(folder: Any) -> None:
    folder.png("images/a.png", np.zeros((10, 20), np.uint8))
    folder.text("labels/a.txt", "0 0.1 0.2 0.3 0.2 0.3 0.4 0.1 0.4\n")
    cases = layouts.read(folder.path, task="instances")
    truth = cases[0].truth()
    assert cases.classes == ("0",) and isinstance(truth, Instances) and truth.areas.tolist() == [8]


def test_a_class_beyond_the_names_is_refused(made: Path) -> None:
    path = next(p for p in made.rglob("a.txt") if p.stat().st_size)
    path.write_text("7 0.5 0.5 0.1 0.1\n")
    with pytest.raises(UnreadableError, match="beyond the names"):
        layouts.read(made, task="detect")


def test_other_folders_are_not_claimed(folder: Any) -> None:
    folder.png("images/a.png")
    folder.png("labels/a.png")
    assert not yolo.claims(folder.path) and not yolo.claims(folder.path / "gone")


def test_declared_names_win_over_the_list(folder: Any) -> None:
    folder.png("images/a.png", np.zeros((10, 20), np.uint8))
    folder.text("labels/a.txt", "0 0.5 0.5 0.2 0.2\n1 0.5 0.5 0.4 0.4\n")
    folder.text("classes.txt", "rbc\nwbc\n")
    folder.json({"format": 1, "truth": {"detect": {"labels": {"white": "wbc", "ignore": "rbc"}}}})
    cases = layouts.read(folder.path, task="detect")
    truth = cases[0].truth()
    assert cases.classes == ("white",) and isinstance(truth, Boxes) and truth.ignored is not None
    assert truth.ignored.tolist() == [False, True]
