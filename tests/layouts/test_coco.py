from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isocenter import layouts
from isocenter.data import Boxes, Instances
from isocenter.errors import TableError, UnreadableError
from isocenter.layouts import coco

SQUARE = [[4, 2, 7, 2, 7, 3, 4, 3]]


def document(*names: str, outlined: bool = True) -> dict[str, Any]:
    item = {"id": 1, "image_id": 0, "category_id": 7, "bbox": [4, 2, 3, 1], "iscrowd": 0}
    return {
        "images": [{"id": i, "file_name": n, "height": 10, "width": 20} for i, n in enumerate(names)],
        "annotations": [item | ({"segmentation": SQUARE} if outlined else {})],
        "categories": [{"id": 7, "name": "zebra"}, {"id": 9, "name": "ant"}],
    }


@pytest.fixture
def made(folder: Any) -> Path:
    for split in ("train", "val"):
        for name in ("a", "b"):
            folder.png(f"{split}2017/{split}{name}.jpg", np.zeros((10, 20), np.uint8))
        folder.json(document(f"{split}a.jpg", f"{split}b.jpg"), f"annotations/instances_{split}2017.json")
        folder.json({"images": [], "annotations": []}, f"annotations/captions_{split}2017.json")
    return Path(folder.path)


def test_files_of_splits_with_images_in_folders_of_their_names(made: Path) -> None:
    cases = layouts.read(made)
    assert cases.layout == "coco" and cases.splits == {"train": 2, "val": 2}
    assert cases.tasks == ("instances", "detect")
    boxes = layouts.read(made, task="detect")
    # Categories keep the file's order; an image without annotations is a case without objects.
    assert boxes.classes == ("zebra", "ant") and [len(c.truth()) for c in boxes] == [1, 0, 1, 0]  # type: ignore[arg-type]
    truth = layouts.read(made, task="instances")[0].truth()
    assert isinstance(truth, Instances) and np.argwhere(truth.label_map()).tolist() == [[2, 4], [2, 5], [2, 6]]


def test_one_file_and_images_beside_it(folder: Any) -> None:
    folder.png("valid/a.png", np.zeros((10, 20), np.uint8))
    path = folder.json(document("a.png", outlined=False), "valid/_annotations.coco.json")
    cases = layouts.read(folder.path, task="detect")
    truth = cases[0].truth()
    assert cases.splits == {"val": 1} and cases.tasks == ("detect",) and isinstance(truth, Boxes)
    assert truth.edges.tolist() == [[[1.5, 3.5], [2.5, 6.5]]]
    assert len(layouts.read(path, task="detect")) == 1
    with pytest.raises(TableError, match="no truth for instances"):
        layouts.read(folder.path, task="instances")


def test_a_listed_image_that_is_not_there_is_named(made: Path) -> None:
    (made / "train2017" / "traina.jpg").unlink()
    with pytest.raises(TableError, match=r"traina\.jpg"):
        layouts.read(made)
    assert layouts.survey(made).unused == {"a file is not there": 1}


def test_other_json_is_not_coco(folder: Any) -> None:
    folder.json({"labels": {}}, "x.json")
    folder.text("list.json", "[1]")
    assert not coco.claims(folder.path) and not coco.claims(folder.path / "gone")
    folder.text("torn.json", '{"images": [1, "annotations"')
    with pytest.raises(UnreadableError, match="not JSON"):
        layouts.read(folder.path / "torn.json")
