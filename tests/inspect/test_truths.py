from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from isocenter import layouts
from isocenter.data import Boxes, Cases, Geometry, Problem
from isocenter.inspect.truths import LISTED, classes_compared, gathered, read_all


def volume(path: Path, array: Any, shift: float = 0.0) -> None:
    affine = np.eye(4)
    affine[0, 3] = shift
    image = nibabel.Nifti1Image(np.asarray(array), affine)
    image.header.set_xyzt_units("mm")
    nibabel.save(image, path)


@pytest.fixture
def moved(tmp_path: Path) -> Callable[[float], Cases]:
    def make(shift: float) -> Cases:
        volume(tmp_path / "i.nii.gz", np.random.default_rng(0).integers(0, 99, (4, 5, 6)).astype(np.int16))
        volume(tmp_path / "m.nii.gz", np.ones((4, 5, 6), np.uint8), shift)
        (tmp_path / "manifest.csv").write_text("image,mask\ni.nii.gz,m.nii.gz\n")
        return layouts.survey(tmp_path, task="segment")

    return make


@pytest.mark.parametrize(("shift", "code"), [(0.0, None), (5e-4, None), (0.02, "geometry-slight"), (4.0, "geometry")])
def test_labels_beside_their_image(moved: Callable[[float], Cases], shift: float, code: str | None) -> None:
    found = read_all(moved(shift)).problems
    assert [p.code for p in found] == ([code] if code else [])
    if code:
        assert f"{shift:g} mm" in found[0].got and found[0].remedy


def test_regions_are_counted(table: Any) -> None:
    for i, value in enumerate((0, 255, 255)):
        mask = table.save(f"m{i}.png", np.full((4, 5), value, np.uint8))
        table.add(f"i{i}.png", np.arange(20, dtype=np.uint8).reshape(4, 5), mask=mask, split="train" if i else "test")
    truths = read_all(layouts.read(table.done(), task="segment"))
    assert truths.counts == {"test": {"foreground": 0}, "train": {"foreground": 2}}
    assert truths.pixels["i1"] == {"background": 0, "foreground": 20}


def test_strange_labels_are_listed_and_counted(table: Any) -> None:
    for i in range(LISTED + 3):
        mask = table.save(f"m{i}.png", np.full((4, 5), 7, np.uint8))
        table.add(f"i{i}.png", np.arange(20, dtype=np.uint8).reshape(4, 5), mask=mask)
    path = table.done({"truth": {"segment": {"column": "mask", "labels": {"lung": 255}}}})
    problems = read_all(layouts.read(path, task="segment")).problems
    assert len(problems) == LISTED + 1 and "3 more like this" in problems[-1].what
    assert problems[0].code == "label" and "7 (20 pixels)" in problems[0].got


def test_classes_that_one_side_lacks(labelled: Callable[..., Cases]) -> None:
    labels = ["a", "b", "a", "c", "a", "a", "b"]
    cases = labelled(labels, splits=["train", "train", "train", "test", "test", "val", "val"])
    found = {p.code: p for p in classes_compared(read_all(cases), cases)}
    assert found["class-unlearnt"].severity == "error" and found["class-unlearnt"].got == "c (1 cases)"
    assert found["class-unscored"].got == "b"


def test_a_class_unknown_to_train_in_val_is_a_warning(labelled: Callable[..., Cases]) -> None:
    cases = labelled(["a", "b"], splits=["train", "val"])
    assert [p.severity for p in classes_compared(read_all(cases), cases) if p.code == "class-unlearnt"] == ["warning"]


@pytest.mark.parametrize(("rare", "told"), [(5, True), (40, False)])
def test_imbalance_is_told(labelled: Callable[..., Cases], rare: int, told: bool) -> None:
    cases = labelled(["often"] * 100 + ["rare"] * rare, splits=["train"] * (100 + rare))
    assert any(p.code == "imbalance" for p in classes_compared(read_all(cases), cases)) is told


def test_gathering_keeps_kinds_apart() -> None:
    many = [Problem("a", "error", "x", str(i)) for i in range(LISTED)] + [Problem("b", "note", "y")]
    assert gathered(many) == tuple(many)


def test_objects_are_counted_and_images_without_them_are_valid() -> None:
    numbers = np.zeros((3, 6, 6), int)
    numbers[0, 1, 1], numbers[0, 3, 3], numbers[1, 2, 2] = 1, 2, 7
    made = Cases.from_arrays(np.zeros((3, 6, 6)), numbers, task="instances", splits=["train", "test", "test"])
    found = read_all(made)
    assert found.objects == {"train": {"object": 2}, "test": {"object": 1}}
    assert found.counts == {"train": {"object": 1}, "test": {"object": 1}}
    assert [(p.code, p.severity) for p in found.problems] == [("no-object", "note")]


def test_ignored_boxes_are_no_objects_and_bad_truths_are_listed() -> None:
    grid = Geometry((6, 6))
    edges = np.array([[[0.5, 0.5], [2.5, 2.5]], [[1.5, 1.5], [3.5, 3.5]]])
    boxes = Boxes(edges, np.array([0, 1]), ("a", "b"), grid, None, np.array([True, False]))
    wrong = Boxes.none(("a", "b"), Geometry((3, 3)), scored=False)
    found = read_all(Cases.from_arrays(np.zeros((2, 6, 6)), [boxes, wrong], task="detect"))
    assert found.objects == {"": {"a": 0, "b": 1}} and [p.code for p in found.problems] == ["label"]


def test_a_class_without_an_example_in_train_is_told() -> None:
    grid = Geometry((9, 9))
    one = Boxes(np.array([[[0.5, 0.5], [4.5, 4.5]]]), np.array([0]), ("cell", "bubble"), grid)
    none = Boxes(np.zeros((0, 2, 2)), np.zeros(0, np.int64), ("cell", "bubble"), grid)
    x = np.random.default_rng(0).random((3, 9, 9))
    cases = Cases.from_arrays(x, [one, none, one], task="detect", splits=["train", "train", "test"])
    found = read_all(cases)
    assert [p.what.split(":")[0] for p in found.problems] == ["1 case holds no object"]
    (said,) = (p for p in classes_compared(found, cases) if p.code == "class-absent")
    assert said.severity == "warning" and said.got == "bubble"


def test_numbers_are_counted_where_they_are() -> None:
    cases = Cases.from_arrays(np.zeros((3, 4, 4)), [1.0, 2.0, 3.0], task="regress", splits=["train", "train", "test"])
    found = read_all(cases.without_truth([1]))
    assert found.counts == {"train": {"value": 1}, "test": {"value": 1}}
    assert classes_compared(found, cases) == ()
