from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isocenter.data import Boxes, Geometry, Instances
from isocenter.errors import AmbiguousError, LabelError, MissingFileError, UnreadableError
from isocenter.io.annotations import coco

SHAPE = (10, 20)


def saved(folder: Path, *annotations: dict[str, Any], names: tuple[str, ...] = ("a.png",)) -> Path:
    images = [{"id": i + 5, "file_name": n, "height": 10, "width": 20} for i, n in enumerate(names)]
    kinds = [{"id": 3, "name": "dog"}, {"id": 1, "name": "cat"}]
    items = [{"id": i, "image_id": 5, "category_id": 3} | a for i, a in enumerate(annotations)]
    (folder / "a.json").write_text(json.dumps({"images": images, "categories": kinds, "annotations": items}))
    return folder / "a.json"


def test_boxes_polygons_and_crowds(tmp_path: Path) -> None:
    path = saved(
        tmp_path,
        {"bbox": [4, 2, 3, 1], "segmentation": [[4, 2, 7, 2, 7, 3, 4, 3]]},
        {"bbox": [0, 0, 20, 10], "iscrowd": 1, "category_id": 1, "segmentation": {"counts": [0, 200]}},
        {"segmentation": [[0, 0, 1, 0, 1, 1, 0, 1], [3, 2, 4, 2, 4, 3, 3, 3]]},
    )
    found = coco.read(path)
    assert found.classes == ("dog", "cat") and found.size("x/a.png") == SHAPE and coco.claims(path)
    marks = found.marks("x/a.png", SHAPE)
    assert marks.names == ("dog", "cat", "dog") and marks.scores is None
    assert marks.ignored is not None and marks.ignored.tolist() == [False, True, False]
    # An annotation without a box has that of its mask, which may have several parts.
    assert marks.edges.tolist() == [[[1.5, 3.5], [2.5, 6.5]], [[-0.5, -0.5], [9.5, 19.5]], [[-0.5, -0.5], [2.5, 3.5]]]
    objects = marks.instances([0, 2], [0, 0], classes=("dog",), geometry=Geometry(SHAPE))
    assert objects.areas.tolist() == [3, 2]
    assert np.argwhere(objects.label_map() == 2).tolist() == [[0, 0], [2, 3]]


def test_an_image_without_annotations_is_a_valid_case(tmp_path: Path) -> None:
    found = coco.read(saved(tmp_path, names=("a.png", "b.png")))
    assert len(found.marks("b.png", SHAPE).names) == 0


def test_annotations_of_images_that_are_not_listed(tmp_path: Path) -> None:
    assert coco.read(saved(tmp_path, {"bbox": [1, 1, 2, 2]}, {"bbox": [1, 1, 2, 2], "image_id": 77})).lost() == [
        "id 1 of image 77"
    ]


def test_images_are_known_by_the_end_of_their_path(tmp_path: Path) -> None:
    found = coco.read(saved(tmp_path, names=("one/a.png", "two/a.png", "b.png")))
    assert found.known("/data/two/a.png") == "two/a.png" and found.known("/data/other/b.jpg") == "b.png"
    with pytest.raises(AmbiguousError, match="several images"):
        found.known("/data/a.png")
    with pytest.raises(MissingFileError, match="does not know"):
        found.known("/data/c.png")


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        ({"bbox": [1, 1, 2, 2], "category_id": 9}, "no category: got category_id 9 in annotation 0"),
        ({}, "without a mask"),
        ({"segmentation": {"size": [3, 3], "counts": [9]}}, "another size"),
        ({"segmentation": [[1, 1, 2]]}, "COCO"),
    ],
)
def test_damaged_annotations_are_refused(annotation: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises((LabelError, UnreadableError), match=message):
        coco.read(saved(tmp_path, annotation)).marks("a.png", SHAPE)


def test_an_empty_mask_is_a_box_without_area(tmp_path: Path) -> None:
    marks = coco.read(saved(tmp_path, {"segmentation": {"size": [10, 20], "counts": [200]}})).marks("a.png", SHAPE)
    assert marks.faults(SHAPE) == {0: "without area"} and marks.crop is not None
    with pytest.raises(LabelError, match="without a pixel"):
        marks.crop(0)


@pytest.mark.parametrize("text", ["{", "[]", '{"images": []}', '{"images": [{}], "categories": []}'])
def test_other_files_are_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(UnreadableError):
        coco.read(tmp_path / "a.json")


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_overlaps_survive_and_pycocotools_reads_what_we_write(tmp_path: Path) -> None:
    theirs = pytest.importorskip("pycocotools.coco")
    mask = np.ones((3, 3), bool)
    mask[1, 1] = False
    grid = Geometry(SHAPE)
    found = Instances(np.array([[2, 4], [3, 5]]), (mask, np.ones((3, 4), bool)), np.array([0, 1]), ("a", "b"), grid,
                      np.array([0.9, 0.5]))  # fmt: skip
    coco.write(tmp_path / "a.json", found, "x.png")
    again = coco.read(tmp_path / "a.json").marks("x.png", SHAPE)
    back = again.instances([0, 1], [0, 1], classes=("a", "b"), geometry=grid)
    assert back.areas.tolist() == [8, 12] and again.scores is not None and again.scores.tolist() == [0.9, 0.5]
    opened = theirs.COCO(str(tmp_path / "a.json"))
    for i, (key, annotation) in enumerate(opened.anns.items()):
        whole = np.zeros(SHAPE, bool)
        whole[found.where(i)] = found.masks[i]
        assert key == i + 1 and np.array_equal(opened.annToMask(annotation).astype(bool), whole)


def test_several_images_in_one_document() -> None:
    one = Boxes(np.array([[[0.0, 0.0], [2.0, 3.0]]]), np.array([0]), ("b",), Geometry(SHAPE), None, np.array([True]))
    made = coco.document([("x.png", one), ("y.png", Boxes.none(("a",), Geometry((4, 5)), scored=False))])
    assert [i["file_name"] for i in made["images"]] == ["x.png", "y.png"]
    assert made["categories"] == [{"id": 1, "name": "b"}, {"id": 2, "name": "a"}]
    (item,) = made["annotations"]
    assert item["iscrowd"] == 1 and item["bbox"] == [0.5, 0.5, 3.0, 2.0] and item["area"] == 6.0
