from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from isocenter.errors import OutputError
from isocenter.io import workbook
from isocenter.io.workbook import write_workbook

ROWS = [{"name": "=1+1", "area_mm2": 2.5, "n": 3}, {"name": "001", "area_mm2": None, "n": 0}]


def test_numbers_are_numbers_and_text_is_never_a_formula(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "t.xlsx", {"objects": (("name", "area_mm2", "n"), ROWS), "empty": (("a",), [])})
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["objects", "empty"]
    cells = list(book["objects"].iter_rows())
    assert [[c.value for c in line] for line in cells] == [
        ["name", "area_mm2", "n"], ["=1+1", 2.5, 3], ["001", None, 0],
    ]  # fmt: skip
    assert cells[1][0].data_type == "s" and cells[1][1].data_type == "n"
    assert [c.value for c in next(book["empty"].iter_rows())] == ["a"] and book["objects"].freeze_panes == "A2"


def test_what_lies_there_is_kept_and_bad_text_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.xlsx"
    write_workbook(path, {"a": (("x",), [{"x": 1}])})
    before = path.read_bytes()
    with pytest.raises(OutputError, match="exists"):
        write_workbook(path, {"a": (("x",), [])})
    with pytest.raises(OutputError, match="control characters"):
        write_workbook(path, {"a": (("x",), [{"x": "a\x00b"}])}, overwrite=True)
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["t.xlsx"]
    monkeypatch.setattr(workbook, "ROWS", 1)
    with pytest.raises(OutputError, match="too many rows"):
        write_workbook(path, {"a": (("x",), [{"x": 1}])}, overwrite=True)
