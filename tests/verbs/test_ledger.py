from __future__ import annotations

import json
from pathlib import Path

import pytest

from isocenter.data import Problem
from isocenter.errors import OutputError
from isocenter.verbs._csv import read_rows
from isocenter.verbs._ledger import JOURNAL, NAME, PROBLEMS, TABLE, Ledger

MADE = {"method": "segment/histogram"}


def answered(folder: Path, name: str = "a", made: dict[str, str] | None = None) -> Ledger:
    ledger = Ledger(folder, made or MADE)
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.png").write_bytes(b"x")
    ledger.put(name, sha256="1", status="answered", files=[f"{name}.png"], answer={"disc pixels": 3})
    return ledger


def test_what_is_done_is_known_to_the_next_run(tmp_path: Path) -> None:
    answered(tmp_path).close([])
    again = Ledger(tmp_path, MADE)
    assert again.done("a", "1")
    assert not again.done("a", "2"), "another input"
    assert not Ledger(tmp_path, {"method": "other"}).done("a", "1"), "another method"
    (tmp_path / "a.png").unlink()
    assert not Ledger(tmp_path, MADE).done("a", "1"), "its file is gone"


def test_a_killed_run_leaves_its_journal(tmp_path: Path) -> None:
    ledger = answered(tmp_path)
    ledger.put("b", sha256="2", status="pending", files=["b.png"])
    with (tmp_path / JOURNAL).open("a") as file:
        file.write('{"name": "c", "sha2')
    again = Ledger(tmp_path, MADE)
    assert again.done("a", "1") and again.ours("b", "2") and not again.ours("c", "3")
    again.close([])
    assert not (tmp_path / JOURNAL).exists()
    assert {i["name"] for i in json.loads((tmp_path / NAME).read_text())["items"]} == {"a", "b"}


def test_the_table_has_a_row_an_answer(tmp_path: Path) -> None:
    ledger = answered(tmp_path)
    ledger.put("b", status="refused", files=[], note="=torn")
    ledger.close([Problem("unreadable", "error", "it is torn", where="b.png")])
    assert read_rows(tmp_path / TABLE) == [
        {"name": "a", "status": "answered", "disc pixels": "3", "note": ""},
        {"name": "b", "status": "refused", "disc pixels": "", "note": "=torn"},
    ]
    assert [r["where"] for r in read_rows(tmp_path / PROBLEMS)] == ["b.png"]
    Ledger(tmp_path, MADE).close([])
    assert not (tmp_path / PROBLEMS).exists(), "a run without problems leaves none"


def test_a_record_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("{}")
    with pytest.raises(OutputError, match="cannot be read"):
        Ledger(tmp_path, MADE)


def test_nothing_noted_nothing_written(tmp_path: Path) -> None:
    Ledger(tmp_path / "new", MADE).close([])
    assert not (tmp_path / "new").exists()


def test_the_record_of_one_named_file(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, MADE, record="a.png.json")
    ledger.put("a", status="answered", files=["a.png"])
    ledger.close([])
    assert json.loads((tmp_path / "a.png.json").read_text())["made"] == MADE
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.png.json"]
