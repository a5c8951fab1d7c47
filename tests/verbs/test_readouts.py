from __future__ import annotations

import json
from pathlib import Path

import openpyxl
import pytest

from isocenter.errors import OutputError
from isocenter.inspect.readout import Readout
from isocenter.verbs._csv import read_rows
from isocenter.verbs._readouts import SHOWN, document, shown, write_readouts

TABLES = {"objects": Readout(("id", "class"), ({"id": 1, "class": "=cell"},)), "summary": Readout(("objects",), ())}
GRAPH = {"nodes": [{"id": 1}], "edges": []}


def test_a_workbook_has_a_sheet_a_table(tmp_path: Path) -> None:
    files = write_readouts(tmp_path / "m.xlsx", TABLES, graphs=[GRAPH])
    assert [f.name for f in files] == ["m.xlsx", "m_relations.json"]
    book = openpyxl.load_workbook(files[0])
    assert book.sheetnames == ["objects", "summary"] and book["objects"]["B2"].value == "=cell"
    assert json.loads(files[1].read_text(encoding="utf-8"))["graphs"] == [GRAPH]


def test_a_table_has_the_others_beside_it_and_a_folder_one_file_each(tmp_path: Path) -> None:
    files = write_readouts(tmp_path / "m.csv", TABLES)
    assert [f.name for f in files] == ["m.csv", "m_summary.csv"]
    assert read_rows(files[0]) == [{"id": "1", "class": "=cell"}]
    files = write_readouts(tmp_path / "out", TABLES, graphs=[GRAPH])
    assert [f.name for f in files] == ["objects.csv", "summary.csv", "relations.json"]
    assert all(f.parent == tmp_path / "out" for f in files)


def test_one_document(tmp_path: Path) -> None:
    (path,) = write_readouts(tmp_path / "m.json", TABLES, graphs=[GRAPH])
    held = json.loads(path.read_text(encoding="utf-8"))
    assert held == document(TABLES, [GRAPH]) and held["objects"] == [{"id": 1, "class": "=cell"}]
    assert "Research use only" in held["notice"] and "graphs" not in document(TABLES, [])


def test_nothing_is_written_where_something_lies(tmp_path: Path) -> None:
    (tmp_path / "m_summary.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="exists"):
        write_readouts(tmp_path / "m.csv", TABLES)
    assert [p.name for p in tmp_path.iterdir()] == ["m_summary.csv"]
    write_readouts(tmp_path / "m.csv", TABLES, overwrite=True)
    assert len(list(tmp_path.iterdir())) == 2
    with pytest.raises(OutputError, match="not a table"):
        write_readouts(tmp_path / "m.docx", TABLES)
    with pytest.raises(OutputError):
        write_readouts(tmp_path / "m.csv" / "below", TABLES)


def test_the_first_rows_are_shown_by_the_columns_that_there_are() -> None:
    rows = Readout(("id", "area_px", "score"), tuple({"id": i, "area_px": i / 3, "score": None} for i in range(20)))
    lines = shown(rows, [("case",), ("area_mm2", "area_px"), ("score",)])
    assert lines[0].split() == ["area_px", "score"] and lines[2].split() == ["0.3333", "-"]
    assert len(lines) == 1 + SHOWN + 1 and lines[-1] == "... and 8 rows more"
    assert len(shown(Readout(("id",), rows.rows[:3]), [("id",)])) == 4
