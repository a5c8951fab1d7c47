from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isocenter import layouts
from isocenter.data import Cases
from isocenter.errors import OutputError
from isocenter.inspect import divide, write_split


@pytest.fixture
def data(table: Any, picture: Callable[..., np.ndarray]) -> Path:
    for i in range(20):
        mask = table.save(f"masks/{i}.png", (picture(i) > 128).astype(np.uint8) * 255)
        cells = {"mask": mask, "label": ["ill", "well"][i % 2], "subject": f"p{i // 2}", "age": "007"}
        table.add(f"images/{i}.png", picture(i), **cells)
    return table.done({
        "truth": {"segment": {"column": "mask", "labels": {"background": 0, "lesion": 255}},
                  "classify": {"column": "label", "positive": "ill"}},
        "facts": ["age"], "table": "manifest.csv",
    })


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".xlsx"])
@pytest.mark.parametrize("place", ["", "elsewhere/deep"])
def test_the_new_table_reads_like_the_old_one(data: Path, suffix: str, place: str) -> None:
    cases = divide(layouts.read(data, task="classify"), seed=1)
    written = write_split(cases, data / place / f"split{suffix}")
    again = layouts.read(written.table, task="classify")
    assert [e.split for e in again.entries] == [e.split for e in cases.entries] and again.splits == written.splits
    assert (again.classes, again.positive, again[0].facts) == (cases.classes, "ill", {"age": 7.0})
    assert [e.files for e in again.entries] == [e.files for e in cases.entries]
    segment = layouts.read(written.table, task="segment")
    assert segment.classes == ("lesion",) and segment[3].truth() is not None
    assert (written.cases_json is not None) == bool(place) and written.lines()[0].startswith(str(written.table))
    assert json.dumps(written.as_json())


def test_text_stays_text(data: Path) -> None:
    write_split(divide(layouts.read(data)), data / "s.xlsx")
    assert layouts.read(data / "s.xlsx").entries[0].notes["age"] == "007"


def test_nothing_is_overwritten(data: Path) -> None:
    cases = divide(layouts.read(data))
    before = (data / "manifest.csv").read_bytes()
    with pytest.raises(OutputError, match="exists"):
        write_split(cases, data / "manifest.csv")
    assert (data / "manifest.csv").read_bytes() == before
    write_split(cases, data / "s.csv")
    write_split(cases, data / "s.csv", overwrite=True)


def test_another_sets_declaration_is_not_touched(data: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "cases.json").write_text('{"format": 1}')
    with pytest.raises(OutputError, match=r"another cases.json"):
        write_split(divide(layouts.read(data)), other / "s.csv")
    assert list(other.iterdir()) == [other / "cases.json"]


def test_joined_rows_stay_rows(real_data: Callable[[str], Path], tmp_path: Path) -> None:
    cases = divide(layouts.read(real_data("sts-pet-ct-mr"), task="segment"), seed=2)
    again = layouts.read(write_split(cases, tmp_path / "s.csv").table, task="segment")
    assert [e.split for e in again.entries] == [e.split for e in cases.entries]
    assert set(again[0].images) == {"PET", "CT", "MR_T1"} and again[0].truth() is not None


def test_arrays_of_an_archive_keep_their_places(real_data: Callable[[str], Path], tmp_path: Path) -> None:
    cases = layouts.read(real_data("adrenal-shape-3d"), task="classify").subset(range(0, 60, 3))
    again = layouts.read(write_split(divide(cases), tmp_path / "s.csv").table, task="classify")
    assert again[5].image().shape == (64, 64, 64) and again.positive == "1"


def test_conventions_without_a_table_get_one(table: Any, tmp_path: Path) -> None:
    for i in range(12):
        table.save(f"set/{'ab'[i % 2]}/{i}.png", np.full((4, 5), i, np.uint8))
    cases = divide(layouts.read(tmp_path / "set", task="classify", positive="b"), seed=0)
    again = layouts.read(write_split(cases, tmp_path / "out" / "s.csv").table, task="classify")
    assert [(e.split, e.labels) for e in again.entries] == [(e.split, e.labels) for e in cases.entries]
    assert again.positive == "b"


def test_what_no_table_can_name_is_refused(tmp_path: Path, labelled: Callable[..., Cases]) -> None:
    with pytest.raises(OutputError, match="cannot name"):
        write_split(divide(labelled(["a", "b"] * 10)), tmp_path / "s.csv")
    with pytest.raises(OutputError, match="not a table"):
        write_split(labelled(["a"]), tmp_path / "s.json")
    assert not list(tmp_path.iterdir())


def test_rows_without_a_truth_stay_on_the_side_of_their_patient(table: Any, picture: Callable[..., np.ndarray]) -> None:
    for i in range(20):
        table.add(f"{i}.png", picture(i), label=["a", "b", ""][i % 3], subject=f"p{i // 2}")
    table.add("alone.png", picture(30), label="", subject="nobody else")
    cases = divide(layouts.read(table.done(), task="classify"))
    assert sum(cases.unused.values()) == len(cases.left) == 7
    again = layouts.read(write_split(cases, table.path / "s.csv").table)
    assert len(again) == 21 and again.splits[""] == 1
    sides: dict[str, set[str]] = {}
    for entry in again.entries:
        sides.setdefault(entry.subject, set()).add(entry.split)
    assert all(len(found) == 1 for found in sides.values())


def test_its_own_declaration_may_be_written_again(data: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    for seed in (0, 1):
        written = write_split(divide(layouts.read(data), seed=seed), other / "s.csv", overwrite=True)
        assert written.cases_json == other / "cases.json"
    with pytest.raises(OutputError, match=r"another cases.json"):
        write_split(divide(layouts.read(data)), other / "t.csv", overwrite=True)


def test_what_a_workbook_cannot_hold_is_refused(table: Any, picture: Callable[..., np.ndarray]) -> None:
    for i in range(6):
        table.add(f"{i}.png", picture(i), note="a\x07b")
    cases = divide(layouts.read(table.done()))
    with pytest.raises(OutputError, match="control characters"):
        write_split(cases, table.path / "s.xlsx")
    assert not (table.path / "s.xlsx").exists() and write_split(cases, table.path / "s.csv").table.is_file()
