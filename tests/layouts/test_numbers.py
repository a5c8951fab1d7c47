"""Numbers in cells as the truth of regress."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isocenter import io, layouts
from isocenter.data import Value, Values
from isocenter.errors import AmbiguousError, LabelError, NotFoundError, TableError, UnreadableError
from isocenter.layouts import survey
from isocenter.layouts.numbers import Numbers


def aged(folder: Any, ages: list[str], column: str = "label") -> Path:
    rows = [[folder.png(f"{i}.png", np.full((4, 5), i, np.uint8)), "test", age] for i, age in enumerate(ages)]
    folder.csv([["image", "split", column], *rows])
    return Path(folder.path)


def test_a_numeric_label_is_the_truth_and_empty_cells_leave_the_row_out(folder: Any) -> None:
    cases = layouts.read(aged(folder, ["63", "", " 41.50", "1e1"]), task="regress")
    assert [c.truth() for c in cases] == [Values.truth("label", v) for v in (63.0, 41.5, 10.0)]
    assert cases.classes == ("label",) and cases.unused == {"no truth in column 'label'": 1}
    entry = cases.entries[0]
    assert entry.labels == () and "truth" not in entry.files and not entry.unlabelled and "label" not in entry.notes


def test_the_column_and_unit_are_declared_or_named(folder: Any) -> None:
    path = aged(folder, ["63", "41"], "age")
    with pytest.raises(TableError, match="no truth for regress"):
        layouts.read(path, task="regress")
    assert layouts.read(path, task="regress", target="age")[0].truth() == Values.truth("age", 63.0)
    folder.json({"format": 1, "truth": {"regress": {"column": "age", "unit": "years"}}})
    cases = layouts.read(path, task="regress")
    assert cases[1].truth() == Values({"age": Value(41.0, "years")}) and cases.tasks == ("regress",)
    with pytest.raises(NotFoundError, match="Did you mean age"):
        layouts.read(path, task="regress", target="agee")


def test_the_unit_of_another_column_is_another(folder: Any) -> None:
    folder.json({"format": 1, "truth": {"regress": {"column": "age", "unit": "years"}}})
    rows = [[folder.png("0.png"), "63", "80"]]
    folder.csv([["image", "age", "weight"], *rows])
    assert layouts.read(folder.path, task="regress", target="weight")[0].truth() == Values.truth("weight", 80.0)


@pytest.mark.parametrize("bad", ["old", "63 years", "nan", "1,5", "1e999"])
def test_text_where_a_number_belongs_names_the_row_and_the_value(folder: Any, bad: str) -> None:
    path = aged(folder, ["63", bad, "41"], "age")
    with pytest.raises(LabelError, match="row 3 holds no number in column 'age'") as caught:
        layouts.read(path, task="regress", target="age")
    assert repr(bad) in caught.value.got and "empty" in caught.value.remedy
    found = survey(path, task="regress", target="age")
    assert len(found) == 2 and [p.severity for p in found.problems] .count("error") == 1
    assert found.unused == {"no number where one belongs": 1}


def test_files_and_numbers_in_one_column_are_ambiguous(folder: Any) -> None:
    with pytest.raises(AmbiguousError, match="files or classes"):
        layouts.read(aged(folder, ["63", "0.png"]), task="regress")


def test_given_numbers_come_from_columns_and_files(folder: Any, tmp_path: Path) -> None:
    rows = [[folder.png("0.png"), "63", "60"], [folder.png("1.png"), "41", ""]]
    folder.csv([["image", "label", "reader"], *rows])
    first, second = layouts.read(folder.path, task="regress")
    assert first.given("reader") == Values.truth("label", 60.0)
    assert "empty" in second.given("reader").reason
    answers = tmp_path / "answers"
    answers.mkdir()
    io.write(Values({"label": Value(61.5, "years", 50.0, 70.0)}), answers / "0.json")
    (answers / "1.txt").write_text("40.5\n", encoding="utf-8")
    assert first.given(str(answers)) == Values.truth("label", 61.5)
    assert second.given(str(answers)) == Values.truth("label", 40.5)


def test_files_that_say_no_number(folder: Any, tmp_path: Path) -> None:
    image = io.read_image(tmp_path / folder.png("0.png"))
    reader = Numbers("age", "years")
    assert reader.read(str(folder.json({"age": 3}, "a.json")), image) == Values.truth("age", 3.0, "years")
    for bad in ({"weight": 3}, {"items": []}, {"age": "old"}, []):
        with pytest.raises(LabelError, match="no number of age"):
            reader.read(str(folder.json(bad, "a.json")), image)
    with pytest.raises(UnreadableError):
        reader.read(str(folder.text("b.json", "{")), image)
