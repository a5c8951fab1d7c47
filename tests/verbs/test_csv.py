from __future__ import annotations

from pathlib import Path

import pytest

from isocenter.errors import OutputError
from isocenter.verbs._csv import read_rows, restored, safe, write_rows

ATTACKS = ["=1+1", "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\tx", "\rx", "'=1", "=HYPERLINK(\"http://x\")"]


@pytest.mark.parametrize("text", ATTACKS)
def test_a_formula_becomes_text_and_comes_back(text: str) -> None:
    assert safe(text)[0] == "'"
    assert restored(safe(text)) == text


@pytest.mark.parametrize("text", ["-0.5", "+3", "1e-5", "lung", "", "a=b", "肺"])
def test_what_is_no_formula_stays(text: str) -> None:
    assert safe(text) == text == restored(text)


def test_a_table_comes_back_as_it_was(tmp_path: Path) -> None:
    rows = [{"name": a, "note": "two\nlines, \"quoted\""} for a in ATTACKS]
    path = write_rows(tmp_path / "t.csv", ("name", "note"), rows=rows)
    assert read_rows(path) == rows
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with pytest.raises(OutputError):
        write_rows(path, ("name",), rows=[])


def test_a_missing_cell_is_empty(tmp_path: Path) -> None:
    assert read_rows(write_rows(tmp_path / "t.csv", ("a", "b"), rows=[{"a": 1}])) == [{"a": "1", "b": ""}]
