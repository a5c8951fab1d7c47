from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest

from isocenter import layouts
from isocenter.data import Case, Cases, Image, Probabilities, Segmentation
from isocenter.errors import GeometryError, InputError, LabelError, NotFoundError, UsageError
from isocenter.layouts import memory

X = np.arange(4 * 6 * 6, dtype=np.float32).reshape(4, 6, 6)


def test_arrays() -> None:
    cases = layouts.read((X, ["no", "yes", "no", "yes"]), task="classify")
    assert (cases.classes, cases.positive, len(cases)) == (("no", "yes"), "yes", 4)
    masks = (X > 20).astype(np.uint8)
    assert layouts.read((X, masks), task="segment").classes == ("foreground",)
    assert layouts.read((X, ["a", "b", "a", "b"]), positive="a").positive == "a"


def test_data_frames_are_tables(folder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.png("a.png"), folder.png("b.png")
    monkeypatch.chdir(folder.path)
    frame = pandas.DataFrame({"image": ["a.png", "b.png"], "label": [1, 0], "age": [3.5, None], "subject": ["p", None]})
    cases = layouts.read(frame, task="classify", facts=["age"])
    assert (cases.classes, cases.name, cases.table) == (("0", "1"), "data frame", "")
    truth = cases[0].truth()
    assert isinstance(truth, Probabilities) and truth.label == "1"
    assert [c.facts["age"] for c in cases] == [3.5, None] and cases.entries[1].subject == ""
    assert cases.entries[0].files["image"] == str(Path("a.png").absolute())


def test_cases_pass_with_the_callers_word() -> None:
    cases = Cases.from_arrays(X, ["a", "b", "a", "b"], subjects=["1", "1", "2", "2"])
    assert layouts.read(cases) is cases
    assert layouts.read(cases, task="classify", positive="b").positive == "b"
    with pytest.raises(LabelError):
        layouts.read(cases, positive="c")
    with pytest.raises(UsageError, match="no truth for segment"):
        layouts.read(cases, task="segment")
    with pytest.raises(UsageError, match="--target and --facts"):
        layouts.read(cases, target="x")
    with pytest.raises(NotFoundError, match="no group"):
        layouts.read(cases, group="site")


def test_groups_and_roles_of_cases(folder: Any) -> None:
    rows = [[folder.png("a.png"), "1", "PET", "s"], [folder.png("b.png"), "1", "CT", "s"]]
    folder.csv([["image", "exam", "mod", "site"], *rows])
    folder.json({"format": 1, "case": "exam", "role": "mod"})
    cases = layouts.read(folder.path)
    again = layouts.read(cases, group="site", role="CT")
    assert again.groups == ("s",) and again[0].group == "s" and again[0].lead == "CT"
    with pytest.raises(NotFoundError, match="Did you mean PET"):
        layouts.read(cases, role="PT")[0]


def test_one_image_or_case() -> None:
    image = Image.from_array(X[0])
    assert layouts.read(image)[0].image() is image
    assert layouts.read(Case.of(image, id="me"))[0].id == "me"
    with pytest.raises(UsageError, match="no truth for segment"):
        layouts.read(image, task="segment")


def test_images_of_other_libraries_know_their_grid() -> None:
    nibabel = pytest.importorskip("nibabel")
    sitk = pytest.importorskip("SimpleITK")
    volume = np.arange(2 * 3 * 4, dtype=np.float32).reshape(2, 3, 4)
    ours = sitk.GetImageFromArray(volume)
    ours.SetSpacing((1.0, 2.0, 3.0))
    theirs = nibabel.Nifti1Image(volume.transpose(), np.diag([-1.0, -2, 3, 1]))
    cases = layouts.read(([theirs, ours], ["a", "b"]), task="classify")
    assert [c.image().geometry.spacing for c in cases] == [(3.0, 2.0, 1.0)] * 2
    assert all(np.array_equal(c.image().pixels(), volume) for c in cases)
    one = layouts.read(ours)
    assert len(one) == 1 and one[0].image().geometry.spacing == (3.0, 2.0, 1.0) and not one.task


def test_masks_of_other_libraries_are_whole_numbers_on_their_images_grid() -> None:
    nibabel = pytest.importorskip("nibabel")
    volume = np.zeros((2, 3, 4), np.float32)
    image = nibabel.Nifti1Image(volume.transpose(), np.eye(4))
    soft = nibabel.Nifti1Image((volume + 0.5).transpose(), np.eye(4))
    with pytest.raises(LabelError, match="label map 0: labels that are not whole numbers"):
        layouts.read(([image], [soft]), task="segment")
    small = nibabel.Nifti1Image(np.zeros((4, 3, 1), np.uint8), np.eye(4))
    with pytest.raises(GeometryError, match="label map 0: the label lies on another grid"):
        layouts.read(([image], [small]), task="segment")
    # A bare array has no place of its own, and 2.0 is the number 2.
    bare = layouts.read(([image], [volume + 2.0]), task="segment")
    assert bare.classes == ("foreground",)
    truth = bare[0].truth()
    assert isinstance(truth, Segmentation) and (truth.labels == 1).all()


def test_tensors_and_columns_become_arrays() -> None:
    torch = pytest.importorskip("torch")
    assert np.array_equal(memory.plain(torch.ones(3, requires_grad=True)), np.ones(3))
    assert np.array_equal(memory.plain(pandas.Series([1, 2], index=["b", "a"])), [1, 2])
    kept = [1, 2]
    assert memory.plain(kept) is kept
    cases = layouts.read((torch.from_numpy(X), pandas.Series(["a", "b", "a", "b"], index=[9, 8, 7, 6])))
    assert [e.labels for e in cases.entries] == [("a",), ("b",), ("a",), ("b",)]


@pytest.mark.parametrize("which", [0, 1])
def test_one_image_where_a_sequence_is_needed(which: int) -> None:
    data: list[Any] = [X, X > 20]
    data[which] = Image.from_array(X[0])
    with pytest.raises(InputError, match=f"{'xy'[which]} is one image: got Image, needed a sequence"):
        layouts.read(tuple(data), task="segment")


def test_boxes_and_objects_in_memory() -> None:
    x = np.zeros((2, 6, 8))
    boxes = layouts.read((x, [np.array([[1, 2, 3, 4]]), []]), task="detect")
    assert [len(c.truth()) for c in boxes] == [1, 0]  # type: ignore[arg-type]
    numbers = np.zeros((2, 6, 8), int)
    numbers[0, 1, 1], numbers[0, 3, 3] = 4, 9
    for y in (numbers, list(numbers), [(numbers[0], [0, 0]), (numbers[1], [])]):
        objects = layouts.read((x, y), task="instances")
        assert [len(c.truth()) for c in objects] == [2, 0]  # type: ignore[arg-type]
    held = [c.truth() for c in layouts.read((x, numbers), task="instances")]
    assert [len(c.truth()) for c in layouts.read((list(x), held), task="instances")] == [2, 0]  # type: ignore[arg-type]


def test_a_label_map_of_objects_lies_where_its_image_lies() -> None:
    nibabel = pytest.importorskip("nibabel")
    numbers = np.zeros((4, 5, 6), np.int16)
    numbers[1, 2, 3] = 7
    image = nibabel.Nifti1Image(np.zeros((4, 5, 6), np.int16), np.diag([1, 2, 3, 1]))
    image.header.set_xyzt_units("mm")
    there = nibabel.Nifti1Image(numbers, np.diag([1, 2, 3, 1]))
    there.header.set_xyzt_units("mm")
    truth = layouts.read(([image], [there]), task="instances")[0].truth()
    assert truth.boxes().edges.tolist() == [[[2.5, 1.5, 0.5], [3.5, 2.5, 1.5]]]  # type: ignore[union-attr]
    away = nibabel.Nifti1Image(numbers, np.diag([1, 2, 9, 1]))
    away.header.set_xyzt_units("mm")
    with pytest.raises(GeometryError, match="lies elsewhere"):
        layouts.read(([image], [away]), task="instances")
