from __future__ import annotations

import pytest

from isocenter.errors import TableError
from isocenter.layouts.ask import Ask, Notes


def test_an_ask_is_nothing_by_default() -> None:
    ask = Ask()
    assert (ask.task, ask.target, ask.facts, ask.tolerant) == (None, None, (), False)


def test_rows_of_train_without_truth_stay_where_images_alone_are_learnt_from() -> None:
    for task, kept in (("segment", True), ("register", True), ("classify", False)):
        assert Ask(task, unlabelled=True).keeps("train") is kept
        assert not Ask(task, unlabelled=True).keeps("val") and not Ask(task).keeps("train")


def test_strict_notes_raise_and_tolerant_notes_list() -> None:
    error = TableError("row 3 is odd", where="a.csv", got="x")
    with pytest.raises(TableError):
        Notes().refuse(error)
    notes = Notes(tolerant=True)
    notes.refuse(error)
    assert [(p.code, p.severity, p.where, p.got) for p in notes.problems] == [("table", "error", "a.csv", "x")]


def test_rows_left_out_are_counted_by_reason() -> None:
    notes = Notes()
    notes.leave_out("no image")
    notes.leave_out("no image", 2)
    notes.leave_out("no truth")
    notes.leave_rows("no truth", [{"image": "a"}, {"image": "b"}])
    notes.leave_rows("nothing", [])
    assert notes.unused == {"no image": 3, "no truth": 3} and [row["image"] for row in notes.left] == ["a", "b"]


def test_notes_and_warnings_differ_in_severity() -> None:
    notes = Notes()
    notes.note("a", "worth knowing")
    notes.warn("b", "probably wrong", got="1")
    assert [(p.severity, p.got) for p in notes.problems] == [("note", ""), ("warning", "1")]
