from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from isocenter import layouts
from isocenter.data import Cases, Problem


def unused(cases: Cases) -> list[Problem]:
    return [p for p in cases.problems if p.code == "table-unused"]


@pytest.mark.parametrize(("header", "said"), [
    ("影像,标签", "got columns 影像, 标签, needed a column image or file. Name the column that holds the file names"),
    ("filename,label", "got columns filename, label"),
    ("image,image", "two columns have one name"),
])
def test_a_table_that_names_no_image_is_told(folder: Any, header: str, said: str) -> None:
    folder.png("a.png"), folder.png("b.png"), folder.text("列表.csv", f"{header}\na.png,x\nb.png,y\n")
    problem, = unused(layouts.read(folder.path))
    assert said in problem.line() and problem.severity == "warning" and problem.where.endswith("列表.csv")


def test_a_table_in_another_encoding_says_how_to_save_it(folder: Any) -> None:
    folder.png("a.png"), folder.png("b.png")
    (folder.path / "t.csv").write_bytes("image,label\na.png,恶性\n".encode("gbk"))
    problem, = unused(layouts.read(folder.path))
    assert problem.line().endswith("Save it as CSV in UTF-8.")


def test_many_columns_are_counted(folder: Any) -> None:
    folder.png("a.png"), folder.text("t.csv", ",".join(f"c{i}" for i in range(20)) + "\n")
    assert "c7 and 12 more" in unused(layouts.read(folder.path))[0].got


def test_class_folders_tell_too_and_hidden_tables_are_nobody_s(folder: Any) -> None:
    for name in ("a/1.png", "a/2.png", "b/1.png", "b/2.png"):
        folder.png(name)
    folder.text("age.csv", "name,age\n1,50\n"), folder.text(".age.csv", "x\n"), folder.text("~age.csv", "x\n")
    assert [Path(p.where).name for p in unused(layouts.read(folder.path, task="classify"))] == ["age.csv"]


def test_a_folder_of_series_tells_too(folder: Any, real_data: Callable[[str], Path]) -> None:
    shutil.copytree(real_data("dicom-corpus") / "series" / "mr-two-slices", folder.path / "s")
    folder.text("outcome.csv", "PatientID,death\n1,0\n")
    assert [Path(p.where).name for p in unused(layouts.read(folder.path))] == ["outcome.csv"]


def test_a_table_that_is_used_is_not_told(folder: Any) -> None:
    folder.png("a.png"), folder.png("b.png"), folder.text("t.csv", "image,label\na.png,x\nb.png,y\n")
    assert not unused(layouts.read(folder.path))
