from __future__ import annotations

from typing import Any

import pytest

from isocenter.errors import LabelError
from isocenter.layouts import table_files
from isocenter.layouts.ask import Ask, Notes
from isocenter.layouts.binding import Bound, bind, positive_named
from isocenter.layouts.cases_json import Truth
from isocenter.layouts.rows import Unit
from isocenter.layouts.truths import Classes, Masks


def bound(folder: Any, labels: list[str], truth: Truth, ask: Ask, notes: Notes | None = None) -> Bound:
    rows = [["image", "label"], *([f"{i}.png", label] for i, label in enumerate(labels))]
    table = table_files.read(folder.csv(rows))
    units = [Unit(str(i), {"image": (r["image"],)}, (r,), "image", truth=r["label"]) for i, r in enumerate(table.rows)]
    return bind(units, table, truth, ask, notes=notes or Notes(), repair=False)


def test_classes_are_sorted_numbers_by_size(folder: Any) -> None:
    found = bound(folder, ["10", "9.0", "b", "a", "9"], Truth("label"), Ask("classify"))
    assert found.classes == ("9", "10", "a", "b") and isinstance(found.reader, Classes)


def test_declared_classes_keep_their_order_and_leave_ignored_rows_out(folder: Any) -> None:
    truth = Truth("label", labels={"ill": ("1",), "well": ("0", "2"), "ignore": ("9",)})
    notes = Notes()
    found = bound(folder, ["0", "1.0", "9", "2"], truth, Ask("classify"), notes)
    assert found.classes == ("ill", "well") and len(found.units) == 3 and notes.unused == {"class to ignore": 1}
    assert isinstance(found.reader, Classes) and found.reader.of("2", "x") == "well"
    with pytest.raises(LabelError, match="row 3 holds a class outside"):
        bound(folder, ["0", "7"], truth, Ask("classify"))


def test_masks_with_declared_labels_are_not_opened(folder: Any) -> None:
    found = bound(folder, ["gone.png"], Truth("label", labels={"lung": ("255",)}), Ask("segment"))
    assert isinstance(found.reader, Masks) and found.codes == {"background": 0, "lung": 255}


def test_a_column_of_all_different_values_is_doubted(folder: Any) -> None:
    notes = Notes()
    bound(folder, [f"v{i}" for i in range(30)], Truth("label"), Ask("classify"), notes)
    assert [p.code for p in notes.problems] == ["many-classes"]


def test_other_tasks_are_named_but_not_read(folder: Any) -> None:
    notes = Notes()
    assert bound(folder, ["a.xml"], Truth("label"), Ask("restore"), notes).reader is None
    assert [p.code for p in notes.problems] == ["truth-unread"]


@pytest.mark.parametrize(
    ("names", "said", "declared", "positive"),
    [
        (("normal", "pneumonia"), None, None, "pneumonia"),
        (("0", "1"), None, "1.0", "1"),
        (("0", "1"), "0.0", "1", "0"),
        (("a", "b"), None, None, None),
        (("a", "b", "c"), None, "b", "b"),
        # Declared for the set's own truth, asked of another column.
        (("no", "yes"), None, "malignant", "yes"),
    ],
)
def test_positive_class(names: tuple[str, ...], said: str | None, declared: str | None, positive: str | None) -> None:
    assert positive_named(names, said, declared, "t") == positive


def test_the_callers_positive_class_must_exist() -> None:
    with pytest.raises(LabelError, match="Did you mean malignant"):
        positive_named(("benign", "malignant"), "malign", None, "t")


def test_a_semicolon_names_several_classes_and_that_is_said(folder: Any) -> None:
    notes = Notes()
    found = bound(folder, ["b;a", "a", ";", " a ; 2.0"], Truth("label"), Ask("classify"), notes)
    assert found.multilabel and found.classes == ("2", "a", "b") and found.positive is None
    assert isinstance(found.reader, Classes) and found.reader.multilabel
    assert [found.reader.names_in(u.truth, "x") for u in found.units] == [("b", "a"), ("a",), (), ("a", "2")]
    assert [p.code for p in notes.problems] == ["several-labels"] and "row 2 holds 'b;a'" in notes.problems[0].got
    truth = found.reader.truth("b;a", "x")
    assert truth.multilabel and truth.values == (0.0, 1.0, 1.0)


def test_it_can_be_declared_either_way(folder: Any) -> None:
    notes = Notes()
    one = bound(folder, ["a;b", "c"], Truth("label", multilabel=False), Ask("classify"), notes)
    assert not one.multilabel and one.classes == ("a;b", "c") and not notes.problems
    several = bound(folder, ["a", "c"], Truth("label", multilabel=True), Ask("classify"), notes)
    assert several.multilabel and several.classes == ("a", "c") and not notes.problems


def test_several_declared_classes(folder: Any) -> None:
    labels = {"ill": ("1",), "old": ("2", "3"), "ignore": ("9",)}
    truth = Truth("label", labels=labels)
    notes = Notes()
    found = bound(folder, ["1;3", "2;9", ";", "1"], truth, Ask("classify"), notes)
    assert found.classes == ("ill", "old") and len(found.units) == 3 and notes.unused == {"class to ignore": 1}
    assert isinstance(found.reader, Classes) and found.reader.names_in("1;3", "x") == ("ill", "old")
    with pytest.raises(LabelError, match="row 2 holds a class outside the declared set: got 1;7"):
        bound(folder, ["1;7"], truth, Ask("classify"))


def test_of_several_labels_one_may_lead(folder: Any) -> None:
    found = bound(folder, ["a;b", "b"], Truth("label"), Ask("classify", positive="b"))
    assert found.positive == "b"
    with pytest.raises(LabelError, match="no class 'c'"):
        bound(folder, ["a;b", "b"], Truth("label"), Ask("classify", positive="c"))
