"""Every printed number follows from cases.csv alone."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from isocenter.data import CaseScore, Scores
from isocenter.errors import MissingFileError, TableError
from isocenter.report import MethodResult, Run, recompute, write_report
from isocenter.report.recompute import read_cases
from isocenter.report.tables import CASES_HEAD, TABLE_HEAD, case_rows, csv_text


@pytest.fixture(scope="module")
def written(
    tmp_path_factory: pytest.TempPathFactory, segmented: Callable[..., Run], classified: Callable[..., Run], key: bytes
) -> Path:
    folder = tmp_path_factory.mktemp("report")
    write_report(Run("Both", parts=(segmented(), classified())), folder, key=key)
    return folder


def printed(folder: Path) -> dict[tuple[str, ...], dict[str, str]]:
    with (folder / "table.csv").open(encoding="utf-8", newline="") as file:
        return {tuple(r[k] for k in ("chapter", "method", "metric", "target")): r for r in csv.DictReader(file)}


def test_the_table_is_recomputed_to_the_last_digit(written: Path) -> None:
    table = printed(written)
    found = {
        (chapter, s.method, key, target): score
        for chapter, s in recompute(written / "cases.csv", resamples=300)
        for key, targets in s.metrics.items()
        for target, score in targets.items()
    }
    assert len(table) == 3 * 5 * 4 + 2 * (4 * 3 + 2)
    for name, row in table.items():
        score = found[name]
        assert (row["unit"], row["flags"], int(row["n"])) == (score.unit, " ".join(score.flags), score.n), name
        for column in ("value", "low", "high"):
            value = getattr(score, column)
            if value is None:
                assert row[column] == "", name
            else:
                assert float(row[column]) == pytest.approx(value, abs=1e-9), (name, column)


def test_a_changed_record_changes_the_number(written: Path, tmp_path: Path) -> None:
    text = (written / "cases.csv").read_text(encoding="utf-8")
    line = next(li for li in text.splitlines() if ",unet,test," in li and ",dice,values,kidney," in li)
    other = tmp_path / "cases.csv"
    other.write_text(text.replace(line, line.rsplit(",", 1)[0] + ",0.0"), encoding="utf-8")
    value = next(s for _, s in recompute(other, resamples=10) if s.method == "unet").metrics["dice"]["kidney"].value
    assert value is not None and value < float(printed(written)[("1", "unet", "dice", "kidney")]["value"]) - 0.01


def test_records_of_any_shape_come_back(key: bytes, tmp_path: Path) -> None:
    from isocenter.report.privacy import Codes

    record = {
        "values": {"a/b~c": 0.1, "=x": None},
        "list": [1, [2.5, "t"], {"k": True}],
        "flat": -3,
        "empty": {},
        "none": [],
    }
    cases = (
        CaseScore("case", "", {"dice": record}, "=note"),
        CaseScore("other", "g", {"dice": {"values": {"'q": 1e-300}}}),
    )
    run = Run("t", methods=(MethodResult("=m", Scores("segment", "=m", "test", {}, cases, 1)),))
    path = tmp_path / "cases.csv"
    path.write_text(csv_text(CASES_HEAD, case_rows(run, "", Codes(key, identified=True))), encoding="utf-8")
    assert read_cases(path) == {("", "segment", "=m", "test", ""): cases}


def test_a_file_from_a_spreadsheet_with_its_mark_is_read(written: Path, tmp_path: Path) -> None:
    other = tmp_path / "cases.csv"
    other.write_bytes(b"\xef\xbb\xbf" + (written / "cases.csv").read_bytes())
    assert read_cases(other) == read_cases(written / "cases.csv")


def test_what_is_no_cases_csv_is_refused(written: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingFileError):
        recompute(tmp_path / "none.csv")
    with pytest.raises(TableError, match="not the cases of a report"):
        recompute(written / "table.csv")
    assert TABLE_HEAD != CASES_HEAD
