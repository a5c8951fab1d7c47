from __future__ import annotations

from typing import Any

import pytest

from isocenter.errors import AmbiguousError, NotFoundError, TableError
from isocenter.layouts import cases_json, columns, table_files
from isocenter.layouts.ask import Ask
from isocenter.layouts.cases_json import Declared, Truth


def table(folder: Any, *rows: list[str]) -> table_files.Table:
    return table_files.read(folder.csv(rows))


@pytest.mark.parametrize(
    ("header", "row", "task", "column"),
    [
        (["image", "mask", "label"], ["a.png", "m.png", "benign"], "segment", "mask"),
        (["image", "mask", "label"], ["a.png", "m.png", "benign"], "classify", "label"),
        (["image", "label"], ["a.png", "m.nii.gz"], "segment", "label"),
        (["image", "label"], ["a.png", "m.nii.gz"], "classify", None),
        (["image", "label"], ["a.png", "3"], "segment", None),
        (["image", "label"], ["a.png", "3"], "retrieve", "label"),
        (["image", "label"], ["a.png", "x.npz#labels[3]"], "segment", "label"),
        (["Image", "Label"], ["a.png", "3"], "classify", "Label"),
        (["image", "boxes"], ["a.png", "a.xml"], "detect", "boxes"),
        (["image", "x"], ["a.png", "3"], "classify", None),
    ],
)
def test_the_first_that_exists_is_the_truth(
    folder: Any, header: list[str], row: list[str], task: str, column: str | None
) -> None:
    assert columns.by_name(table(folder, header, row), task) == column


def test_two_columns_that_could_both_be_the_truth_are_named(folder: Any) -> None:
    both = table(folder, ["image", "mask", "label"], ["a.png", "m.png", "n.png"])
    with pytest.raises(AmbiguousError, match="'mask' and 'label'"):
        columns.by_name(both, "segment")
    assert columns.truth(both, Declared(), Ask("segment", target="label")).column == "label"
    same = table(folder, ["image", "mask", "label"], ["a.png", "m.png", "m.png"])
    assert columns.by_name(same, "segment") == "mask"


@pytest.mark.parametrize("task", ["segment", "classify"])
def test_a_column_of_files_and_classes_is_refused(folder: Any, task: str) -> None:
    mixed = table(folder, ["image", "label"], ["a.png", "benign"], ["b.png", ""], ["c.png", "c_mask.png"])
    with pytest.raises(AmbiguousError, match=r"row 4 names the file 'c_mask.png', row 2 holds 'benign'"):
        columns.by_name(mixed, task)


def test_names_that_differ_in_capitals_alone_are_refused(folder: Any) -> None:
    with pytest.raises(AmbiguousError, match="'Mask' and 'MASK'"):
        columns.find(table(folder, ["image", "Mask", "MASK"], ["a", "b", "c"]), "mask")


def test_the_callers_word_wins_over_what_is_declared(folder: Any) -> None:
    t = table(folder, ["image", "mask", "second", "dx", "other"], ["a.png", "m.png", "n.png", "1", "2"])
    said = Declared(truth={
        "segment": Truth("mask", "PET", {"vessel": ("1",)}), "classify": Truth("dx", "", {"ill": ("1",)}, "ill"),
    })
    assert columns.truth(t, said, Ask("segment")).column == "mask"
    # Masks of one set share their numbers; the classes of another column are others.
    assert columns.truth(t, said, Ask("segment", target="second")) == Truth("second", "PET", {"vessel": ("1",)})
    assert columns.truth(t, said, Ask("classify", target="other")) == Truth("other")
    with pytest.raises(NotFoundError, match="Did you mean other"):
        columns.truth(t, said, Ask("classify", target="othr"))


def test_a_declared_column_must_be_there(folder: Any) -> None:
    t = table(folder, ["image", "mask"], ["a.png", "m.png"])
    with pytest.raises(TableError, match="no column 'msk'"):
        columns.truth(t, Declared(truth={"segment": Truth("msk")}), Ask("segment"))


def test_no_truth_says_what_there_is(folder: Any) -> None:
    t = table(folder, ["image", "label"], ["a.png", "3"])
    with pytest.raises(TableError, match="truths for classify"):
        columns.truth(t, Declared(), Ask("segment"))


def test_images_by_task(folder: Any) -> None:
    pairs = table(folder, ["fixed", "moving"], ["a.png", "b.png"])
    assert columns.images(pairs, "register") == {"fixed": "fixed", "moving": "moving"}
    assert columns.images(pairs, None) == {"fixed": "fixed", "moving": "moving"}
    assert columns.images(table(folder, ["file", "label"], ["a.png", "1"]), "classify") == {"image": "file"}
    assert columns.images(table(folder, ["raw", "reference"], ["a.npy", "b.npy"]), "reconstruct") == {"raw": "raw"}
    with pytest.raises(TableError, match="no column of images"):
        columns.images(table(folder, ["path"], ["a.png"]), "segment")


def test_image_and_file_that_differ_are_two_readings(folder: Any) -> None:
    with pytest.raises(AmbiguousError, match="'image' and 'file'"):
        columns.images(table(folder, ["image", "file"], ["a.png", "b.png"]), None)
    assert columns.images(table(folder, ["image", "file"], ["a.png", "a.png"]), None) == {"image": "image"}
    assert columns.images(table(folder, ["image", "file"], ["a.png", "007"]), None) == {"image": "image"}


def test_tasks_that_could_be_asked(folder: Any) -> None:
    t = table(folder, ["image", "mask", "label"], ["a.png", "m.png", "benign"])
    assert columns.tasks(t, Declared()) == ("segment", "classify")
    # A mask that is declared as one number an object is not offered as regions.
    said = cases_json.parsed({"format": 1, "truth": {"instances": {"column": "mask"}}}, "x")
    assert columns.tasks(t, said) == ("instances", "classify")


def test_group_and_split_columns(folder: Any) -> None:
    t = table(folder, ["image", "who", "site"], ["a.png", "1", "2"])
    said = Declared(columns={"subject": "who"})
    assert columns.column_of(t, said, "subject") == "who"
    assert columns.column_of(t, said, "group", "site") == "site"
    assert columns.column_of(t, said, "split") is None
    with pytest.raises(NotFoundError, match="Did you mean site"):
        columns.column_of(t, said, "group", "sit")


@pytest.mark.parametrize(
    ("header", "declared", "task", "column", "reads"),
    [
        (["image", "boxes", "mask"], {}, "detect", "boxes", ""),
        (["image", "instances", "mask"], {}, "detect", "instances", "instances"),
        (["image", "instances", "mask"], {}, "instances", "instances", "instances"),
        (["image", "mask"], {}, "detect", "mask", ""),
        (["image", "mask"], {}, "instances", "mask", ""),
        (["image", "mask"], {"segment": {"column": "mask"}}, "detect", "mask", "segment"),
        (["image", "mask"], {"segment": {"column": "mask"}}, "instances", "mask", "segment"),
        (["image", "mask"], {"instances": {"column": "mask"}}, "detect", "mask", "instances"),
        (["image", "boxes", "mask"], {"segment": {"column": "mask"}}, "detect", "boxes", ""),
        (["image", "instances", "mask"], {"segment": {"column": "mask"}}, "detect", "instances", "instances"),
    ],
)
def test_the_truth_of_objects(
    folder: Any, header: list[str], declared: dict[str, Any], task: str, column: str, reads: str
) -> None:
    t = table(folder, header, [f"{name}.png" for name in header])
    said = cases_json.parsed({"format": 1, "truth": declared}, "x")
    found = columns.truth(t, said, Ask(task))
    assert (found.column, found.reads) == (column, reads)


def test_the_callers_column_wins_for_objects_too(folder: Any) -> None:
    t = table(folder, ["image", "boxes", "mine"], ["a.png", "a.xml", "b.xml"])
    assert columns.truth(t, Declared(), Ask("detect", target="mine")).column == "mine"
    both = table(folder, ["image", "mask", "label"], ["a.png", "m.png", "n.png"])
    with pytest.raises(AmbiguousError, match="both name files"):
        columns.truth(both, Declared(), Ask("instances"))
    labelled = table(folder, ["image", "label"], ["a.png", "m.png"])
    assert columns.truth(labelled, Declared(), Ask("instances")).column == "label"
    with pytest.raises(TableError, match="no truth for detect"):
        columns.truth(table(folder, ["image", "label"], ["a.png", "benign"]), Declared(), Ask("detect"))
