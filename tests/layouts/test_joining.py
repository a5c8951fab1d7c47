from __future__ import annotations

from typing import Any

import pytest

from isocenter.errors import TableError
from isocenter.layouts import joining, table_files
from isocenter.layouts.ask import Notes


def tables(folder: Any, main: list[list[str]], other: list[list[str]]) -> table_files.Table:
    folder.csv(other, "other.csv")
    return table_files.read(folder.csv(main))


def test_columns_are_added_and_rows_kept(folder: Any) -> None:
    table = tables(folder, [["image", "age"], ["a", ""], ["b", "7"], ["c", "8"]],
                   [["image", "age", "sex"], ["b", "7.0", "F"], ["a", "5", "M"], ["z", "1", "M"]])
    notes = Notes()
    joined = joining.joined(table, [("other.csv", "image")], notes)
    assert joined.columns == ("image", "age", "sex")
    assert [dict(r.cells) for r in joined.rows] == [
        {"image": "a", "age": "5", "sex": "M"}, {"image": "b", "age": "7", "sex": "F"}, {"image": "c", "age": "8"}
    ]
    assert {p.code for p in notes.problems} == {"join-alone", "join-spare"}


def test_a_column_that_disagrees_names_both_rows(folder: Any) -> None:
    table = tables(folder, [["image", "split"], ["a", "train"]], [["image", "split"], ["x", "test"], ["a", "test"]])
    with pytest.raises(TableError, match=r"'split' disagrees between manifest.csv row 2 and other.csv row 3") as error:
        joining.joined(table, [("other.csv", "image")], Notes())
    assert error.value.got == "train and test"


def test_two_rows_for_one_key_are_refused_unless_they_agree(folder: Any) -> None:
    table = tables(folder, [["image"], ["a"]], [["image", "x"], ["a", "1"], ["a", "1"]])
    assert joining.joined(table, [("other.csv", "image")], Notes()).rows[0]["x"] == "1"
    folder.csv([["image", "x"], ["a", "1"], ["a", "2"]], "other.csv")
    with pytest.raises(TableError, match="rows 2 and 3 share image = 'a' and differ"):
        joining.joined(table, [("other.csv", "image")], Notes())


def test_the_key_must_be_in_both(folder: Any) -> None:
    table = tables(folder, [["image"], ["a"]], [["file", "x"], ["a", "1"]])
    with pytest.raises(TableError, match="no column 'image'"):
        joining.joined(table, [("other.csv", "image")], Notes())


def test_differing_compares_numbers_as_numbers(folder: Any) -> None:
    table = table_files.read(folder.csv([["a", "b"], ["1", "x"], ["1.0", ""], ["", "y"]]))
    assert joining.differing(table.rows, "a") == ["1"]
    assert joining.differing(table.rows, "b") == ["x", "y"]
