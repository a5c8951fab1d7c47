from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isocenter.errors import LabelError, UnreadableError
from isocenter.io.annotations import opened
from isocenter.layouts.ask import Notes
from isocenter.layouts.examining import LISTED, examine, faulty

SHAPE = (10, 20)
HEAD = "image,class,xmin,ymin,xmax,ymax\n"


def examined(folder: Any, text: str, *images: str, tolerant: bool = False, refuse: bool = False) -> Notes:
    path = str(folder.text("boxes.csv", HEAD + text))
    pairs = [(path, str(folder.path / folder.png(name, np.zeros(SHAPE, np.uint8)))) for name in images]
    notes = Notes(tolerant)
    examine([(path, i) for _, i in pairs], {path: opened(path)}, refuse=refuse, notes=notes)
    return notes


def test_the_image_is_named_where_a_file_is_about_several(folder: Any) -> None:
    text = "a.png,cell,1,1,5,5\nb.png,cell,30,1,34,5\n"
    (found,) = examined(folder, text, "a.png", "b.png").problems
    assert found.severity == "warning" and found.what == "an object outside the image was left out"
    assert found.got == "b.png: object 1 (cell, x 30 to 34, y 1 to 5)"
    (alone,) = examined(folder, "a.png,cell,3,3,3,8\n", "a.png").problems
    assert alone.got == "object 1 (cell, x 3 to 3, y 3 to 8)" and "without area" in alone.what


def test_each_kind_is_listed_a_few_times_and_counted(folder: Any) -> None:
    rows = "a.png,cell,3,3,3,8\n" * (LISTED + 2) + "a.png,cell,15,5,40,9\n"
    said = [p.what for p in examined(folder, rows, "a.png").problems]
    assert len(said) == LISTED + 2 and said[-1].startswith("2 more like this") and "cut at its border" in said[-2]


def test_a_useless_object_refuses_the_set_that_says_so(folder: Any) -> None:
    with pytest.raises(LabelError, match=r"outside the image.*x 30 to 34"):
        examined(folder, "a.png,cell,30,1,34,5\n", "a.png", refuse=True)
    (listed,) = examined(folder, "a.png,cell,30,1,34,5\n", "a.png", refuse=True, tolerant=True).problems
    assert listed.severity == "error" and '"drop"' in listed.remedy
    source = opened(str(folder.path / "boxes.csv")).marks("a.png", SHAPE)
    assert faulty(source, {0: "outside the image"}, "f").where == "f"


def test_rows_without_image_and_images_without_row(folder: Any) -> None:
    part = examined(folder, "a.png,cell,1,1,5,5\nother.png,cell,1,1,5,5\n", "a.png").problems
    assert [(p.code, p.severity, p.got) for p in part] == [("rows-spare", "note", "other.png")]
    # A misspelt name leaves both a row and an image over.
    slip = examined(folder, "a.png,cell,1,1,5,5\nB1.png,cell,1,1,5,5\n", "a.png", "b.png").problems
    assert [(p.severity, p.got) for p in slip] == [("warning", "B1.png"), ("warning", "b.png")]


def test_annotations_of_images_that_are_not_listed(folder: Any) -> None:
    image = folder.png("a.png", np.zeros(SHAPE, np.uint8))
    items = [{"id": i, "image_id": 7, "category_id": 1, "bbox": [1, 1, 2, 2]} for i in range(4)]
    path = str(folder.json({
        "images": [{"id": 1, "file_name": "a.png"}], "categories": [{"id": 1, "name": "cell"}], "annotations": items,
    }, "a.json"))
    notes = Notes()
    examine([(path, str(folder.path / image))], {path: opened(path)}, refuse=False, notes=notes)
    (found,) = notes.problems
    assert found.severity == "warning" and found.what.startswith("4 annotations of images that the file")
    assert found.got == "id 0 of image 7, id 1 of image 7, id 2 of image 7 and 1 more"


def test_empty_masks_are_told_where_a_set_is_looked_at(folder: Any) -> None:
    image = str(folder.path / folder.png("a.png", np.zeros(SHAPE, np.uint8)))
    folder.png("masks/1.png", np.zeros(SHAPE, np.uint8))
    path = str(folder.path / "masks")
    for tolerant, n in ((True, 1), (False, 0)):
        notes = Notes(tolerant)
        examine([(path, image)], {path: opened(path)}, refuse=False, notes=notes)
        assert [p.got for p in notes.problems if "without area was left out" in p.what] == ["1.png: object"] * n


def test_objects_that_overlap_are_told_where_a_set_is_looked_at(folder: Any) -> None:
    image = str(folder.path / folder.png("a.png", np.zeros(SHAPE, np.uint8)))
    for name, columns in (("1", slice(0, 8)), ("2", slice(6, 12)), ("3", slice(12, 14))):
        mask = np.zeros(SHAPE, np.uint8)
        mask[2:5, columns] = 255
        folder.png(f"masks/{name}.png", mask)
    path = str(folder.path / "masks")
    notes = Notes(tolerant=True)
    examine([(path, image)], {path: opened(path)}, refuse=False, notes=notes)
    (found,) = notes.problems
    assert found.severity == "note" and found.got == "1 image: a.png (6 pixels)"


def test_a_damaged_annotation_is_told_once(folder: Any, tmp_path: Path) -> None:
    image = folder.png("a.png", np.zeros((3, 3), np.uint8))
    path = str(folder.text("a.csv", HEAD + "a.png,cell,one,1,5,5\n"))
    with pytest.raises((LabelError, UnreadableError), match="xmin"):
        examine([(path, str(folder.path / image))], {path: opened(path)}, refuse=False, notes=Notes())


def test_an_outline_that_is_missing_is_left_to_the_reader_of_the_truth(folder: Any) -> None:
    image = folder.png("a.png", np.zeros(SHAPE, np.uint8))
    ring = [[1, 1, 5, 1, 5, 5, 1, 5]]
    items = [{"id": i, "image_id": 1, "category_id": 1, "bbox": [1, 1, 4, 4], "segmentation": s}
             for i, s in enumerate((ring, []))]
    images = [{"id": 1, "file_name": "a.png"}]
    path = str(folder.json({"images": images, "categories": [{"id": 1, "name": "x"}], "annotations": items}, "a.json"))
    notes = Notes(tolerant=True)
    examine([(path, str(folder.path / image))], {path: opened(path)}, refuse=False, notes=notes)
    assert notes.problems == []
