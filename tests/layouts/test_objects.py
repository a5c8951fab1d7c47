from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isocenter import layouts
from isocenter.data import OBJECT, Boxes, Cases, Geometry, Instances, Segmentation
from isocenter.errors import LabelError, MissingFileError
from isocenter.layouts.ask import Notes
from isocenter.layouts.cases_json import Truth
from isocenter.layouts.objects import parts_of, reader

SHAPE = (10, 20)


def picture(folder: Any, name: str) -> str:
    return str(folder.png(name, np.zeros(SHAPE, np.uint8)))


def voc(folder: Any, name: str, *items: tuple[str, int, int, int, int], size: tuple[int, int] = SHAPE) -> str:
    objects = "".join(
        f"<object><name>{n}</name><bndbox><xmin>{a}</xmin><ymin>{b}</ymin><xmax>{c}</xmax><ymax>{d}</ymax></bndbox></object>"
        for n, a, b, c, d in items
    )
    head = f"<size><height>{size[0]}</height><width>{size[1]}</width></size>"
    folder.text(name, f"<annotation>{head}{objects}</annotation>")
    return name


def two(folder: Any, *, declared: dict[str, Any] | None = None, bad: bool = False) -> Path:
    first = voc(folder, "a.xml", ("dog", 6, 3, 6, 4), ("cat", 1, 1, 20, 10), *([("cat", 4, 4, 4, 4)] if bad else []))
    second = voc(folder, "b.xml")
    folder.csv([["image", "boxes"], [picture(folder, "a.png"), first], [picture(folder, "b.png"), second]])
    if declared is not None:
        folder.json({"format": 1, "truth": {"detect": {"column": "boxes", **declared}}})
    return Path(folder.path)


def test_boxes_of_a_table(folder: Any) -> None:
    cases = layouts.read(two(folder), task="detect")
    assert cases.classes == ("cat", "dog") and cases.tasks == ("detect",) and len(cases) == 2
    truth = cases[0].truth()
    # One pixel wide, two high: a line may be a slip, so it is told and left out.
    assert isinstance(truth, Boxes) and truth.edges.tolist() == [[[-0.5, -0.5], [9.5, 19.5]]]
    assert [p.code for p in cases.problems if p.code == "object"] == ["object"]
    empty = cases[1].truth()
    assert isinstance(empty, Boxes) and len(empty) == 0 and empty.classes == ("cat", "dog")


def test_useless_objects_are_named_and_left_out_or_refused(folder: Any) -> None:
    said = [p for p in layouts.read(two(folder, bad=True), task="detect").problems if p.code == "object"]
    assert len(said) == 2 and all(p.severity == "warning" and p.where.endswith("a.xml") for p in said)
    assert said[1].got == "object 3 (cat, x 3 to 4, y 3 to 4)" and "without area" in said[1].what
    path = two(folder, bad=True, declared={"invalid": "refuse"})
    with pytest.raises(LabelError, match="without area"):
        layouts.read(path, task="detect")
    survey = layouts.survey(path, task="detect")
    assert any(p.severity == "error" for p in survey.problems)
    with pytest.raises(LabelError, match="without area"):
        survey[0].truth()


def test_many_useless_objects_are_counted(folder: Any) -> None:
    name = voc(folder, "a.xml", *[("cat", 4, 4, 4, 4)] * 9, ("cat", 1, 5, 30, 9))
    folder.csv([["image", "boxes"], [picture(folder, "a.png"), name]])
    said = [p for p in layouts.read(folder.path, task="detect").problems if p.code == "object"]
    assert len(said) == 7 and "4 more like this" in said[-1].what
    assert "cut at its border" in said[5].what


def test_declared_classes_and_what_is_ignored(folder: Any) -> None:
    labels = {"animal": ["dog"], "machine": "car", "ignore": ["cat"]}
    cases = layouts.read(two(folder, declared={"labels": labels}), task="detect")
    truth = cases[0].truth()
    assert cases.classes == ("animal", "machine") and isinstance(truth, Boxes)
    # What nobody shall look for is ignored whatever its class is taken for.
    assert truth.labels.tolist() == [0, 1] and truth.ignored is not None and truth.ignored.all()
    with pytest.raises(LabelError, match="outside the declared set"):
        layouts.read(two(folder, declared={"labels": {"animal": ["dog"]}}), task="detect")[0].truth()


def test_an_annotation_of_another_size_is_refused(folder: Any) -> None:
    name = voc(folder, "a.xml", ("cat", 1, 1, 5, 5), size=(99, 99))
    folder.csv([["image", "boxes"], [picture(folder, "a.png"), name]])
    with pytest.raises(LabelError, match="another size"):
        layouts.read(folder.path, task="detect")[0].truth()


def test_one_file_for_all_images(folder: Any) -> None:
    folder.csv([["image", "class", "xmin", "ymin", "xmax", "ymax"], ["a.png", "cat", "5", "2", "6", "3"]], "all.csv")
    rows = [[picture(folder, f"{n}.png"), "all.csv"] for n in "ab"]
    folder.csv([["image", "boxes"], *rows])
    cases = layouts.read(folder.path / "manifest.csv", task="detect")
    assert cases.classes == ("cat",) and [len(c.truth()) for c in cases] == [1, 0]  # type: ignore[arg-type]
    assert [(p.severity, p.got) for p in cases.problems if p.code == "images-unnamed"] == [("note", "b.png")]
    images = [{"id": 1, "file_name": "a.png", "height": 10, "width": 20}]
    folder.json({"images": images, "categories": [{"id": 1, "name": "x"}], "annotations": []}, "all.json")
    folder.csv([["image", "boxes"], *[[n, "all.json"] for n, _ in rows]])
    with pytest.raises(MissingFileError, match="does not know this image"):
        layouts.read(folder.path / "manifest.csv", task="detect")
    survey = layouts.survey(folder.path / "manifest.csv", task="detect")
    assert survey.classes == ("x",) and any(p.code == "missing-file" for p in survey.problems)


def numbered(folder: Any, *arrays: Any, column: str = "mask", declared: dict[str, Any] | None = None) -> Path:
    rows = []
    for i, array in enumerate(arrays):
        rows.append([picture(folder, f"i{i}.png"), folder.png(f"m{i}.png", np.asarray(array))])
    folder.csv([["image", column], *rows])
    if declared is not None:
        folder.json({"format": 1, "truth": declared})
    return Path(folder.path)


@pytest.fixture
def three() -> np.ndarray:
    array = np.zeros(SHAPE, np.uint8)
    array[1:3, 1:3], array[5:7, 5:9], array[8, 15:19] = 1, 2, 3
    return array


@pytest.mark.parametrize("column", ["mask", "label", "instances"])
def test_one_number_an_object(folder: Any, three: np.ndarray, column: str) -> None:
    path = numbered(folder, three, np.zeros(SHAPE, np.uint8), column=column)
    cases = layouts.read(path, task="instances")
    assert cases.classes == (OBJECT,) and {"instances", "detect"} <= set(cases.tasks)
    truth, empty = cases[0].truth(), cases[1].truth()
    assert isinstance(truth, Instances) and np.array_equal(truth.label_map(), three)
    assert isinstance(empty, Instances) and len(empty) == 0
    boxes = layouts.read(path, task="detect")[0].truth()
    assert isinstance(boxes, Boxes) and boxes.edges[1].tolist() == [[4.5, 4.5], [6.5, 8.5]]


def test_regions_give_the_boxes_of_their_parts(folder: Any, three: np.ndarray) -> None:
    regions = np.where(three == 3, 2, three > 0).astype(np.uint8)
    declared = {"segment": {"column": "mask", "labels": {"background": 0, "cell": 1, "vessel": 2}}}
    path = numbered(folder, regions, declared=declared)
    cases = layouts.read(path, task="detect")
    truth = cases[0].truth()
    assert cases.classes == ("cell", "vessel") and isinstance(truth, Boxes) and truth.labels.tolist() == [0, 0, 1]
    assert cases.tasks == ("segment",), "regions are not offered as objects"
    objects = layouts.read(path, task="instances")
    assert "regions-as-objects" in [p.code for p in objects.problems] and objects.classes == ("cell", "vessel")


def test_undeclared_masks_of_one_number(folder: Any, three: np.ndarray) -> None:
    path = numbered(folder, (three > 0).astype(np.uint8) * 255)
    boxes = layouts.read(path, task="detect")
    assert len(boxes[0].truth()) == 3 and boxes.classes == ("foreground",)  # type: ignore[arg-type]
    assert "parts-as-objects" in [p.code for p in boxes.problems]
    objects = layouts.read(path, task="instances")
    assert len(objects[0].truth()) == 1 and "one-object" in [p.code for p in objects.problems]  # type: ignore[arg-type]
    assert objects.tasks == ("segment",)


def test_numbers_with_declared_classes(folder: Any, three: np.ndarray) -> None:
    labels = {"background": 0, "left": 1, "right": [2], "ignore": 3}
    path = numbered(folder, three, declared={"instances": {"column": "mask", "labels": labels}})
    cases = layouts.read(path, task="instances")
    truth = cases[0].truth()
    assert cases.classes == ("left", "right") and isinstance(truth, Instances) and truth.labels.tolist() == [0, 1]
    boxes = layouts.read(path, task="detect")
    assert boxes.classes == ("left", "right") and len(boxes[0].truth()) == 2  # type: ignore[arg-type]
    labels.pop("ignore")
    strange = numbered(folder, three, declared={"instances": {"column": "mask", "labels": labels}})
    with pytest.raises(LabelError, match=r"values outside the declared set.*3"):
        layouts.read(strange, task="instances")[0].truth()


def test_folders_of_masks_in_a_table(folder: Any) -> None:
    one = np.zeros(SHAPE, np.uint8)
    one[2:4, 2:4] = 255
    folder.png("m/1.png", one)
    folder.png("m/2.png", np.roll(one, 1, 1))
    folder.csv([["image", "instances"], [picture(folder, "a.png"), "m"]])
    truth = layouts.read(folder.path, task="instances")[0].truth()
    assert isinstance(truth, Instances) and truth.areas.tolist() == [4, 4], "overlaps survive"


def test_what_others_found_is_given(folder: Any, three: np.ndarray) -> None:
    path = two(folder)
    folder.text("other/a.txt", "0 0.5 0.5 0.1 0.2 0.75\n")
    folder.text("other/classes.txt", "dog\n")
    case = layouts.read(path, task="detect")[0]
    found = case.given(str(folder.path / "other"))
    assert isinstance(found, Boxes) and found.classes == ("cat", "dog") and found.labels.tolist() == [1]
    assert found.scores is not None and found.scores.tolist() == [0.75]
    folder.png("maps/a.png", three)
    unnamed = case.given(str(folder.path / "maps"))
    assert isinstance(unnamed, Boxes) and len(unnamed) == 3


def test_parts_of_regions_to_be_ignored_are_of_every_class() -> None:
    labels = np.zeros(SHAPE, np.uint8)
    labels[1, 1], labels[3, 3], labels[5:7, 5] = 1, 1, 255
    found = parts_of(Segmentation(labels, ("background", "a", "b"), Geometry(SHAPE)))
    assert found.labels.tolist() == [0, 0, 0, 1] and found.ignored is not None
    assert found.ignored.tolist() == [False, False, True, True]


def test_a_damaged_file_is_listed_where_the_caller_is_tolerant(folder: Any) -> None:
    folder.text("a.xml", "<annotation>")
    notes = Notes(tolerant=True)
    path = str(folder.path / "a.xml")
    found = reader([(path, path)], Truth(), task="detect", where="t", notes=notes)
    assert found.names == (OBJECT,) and [p.code for p in notes.problems] == ["unreadable"]


@pytest.mark.parametrize(
    ("name", "task", "classes", "counts"),
    [
        ("blood-cells-bccd", "detect", ("Platelets", "RBC", "WBC"), {"WBC": 301, "RBC": 3348, "Platelets": 292}),
        ("nuclei-dsb2018", "instances", (OBJECT,), {OBJECT: 9141}),
        ("sts-pet-ct-mr", "detect", ("tumour",), {"tumour": 35}),
    ],
)
def test_real_sets_hold_what_their_readme_says(
    real_data: Callable[[str], Path], name: str, task: str, classes: tuple[str, ...], counts: dict[str, int]
) -> None:
    cases: Cases = layouts.read(real_data(name), task=task)
    found = dict.fromkeys(classes, 0)
    for case in cases:
        truth = case.truth()
        assert isinstance(truth, Boxes | Instances)
        for label in truth.labels:
            found[truth.classes[int(label)]] += 1
    assert cases.classes == classes and found == counts
    useless = [p for p in cases.problems if p.code == "object"]
    # Two boxes of the blood cells have no area.
    assert len(useless) == (2 if name == "blood-cells-bccd" else 0)
    assert json.dumps([p.as_json() for p in useless]).count("without area") == len(useless)
