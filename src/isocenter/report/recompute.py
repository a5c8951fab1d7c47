"""The numbers of the tables again, from cases.csv alone."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from isocenter.data import CaseScore, Scores, Task
from isocenter.errors import MissingFileError, TableError
from isocenter.metrics import summarise
from isocenter.report.tables import CASES_HEAD, restored

Head = tuple[str, str, str, str, str]


def read_cases(path: str | Path) -> dict[Head, tuple[CaseScore, ...]]:
    """The records of every case as they were written: (chapter, task, method, split, positive) to cases, in order.

    Raises
    ------
    MissingFileError
        There is no such file.
    TableError
        The columns are not those of a cases.csv.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFileError("no such file", where=str(path), wanted="the cases.csv of a report")
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        head = next(reader, [])
        if tuple(head) != CASES_HEAD:
            raise TableError(
                "not the cases of a report", where=path.name, got=", ".join(head), wanted=", ".join(CASES_HEAD)
            )
        return _gathered(reader)


def _gathered(rows: Iterable[list[str]]) -> dict[Head, tuple[CaseScore, ...]]:
    found: dict[Head, dict[tuple[str, ...], dict[str, Any]]] = {}
    for row in rows:
        chapter, task, method, split, positive, case, group, note, metric, number, target = (
            restored(c) for c in row[:11]
        )
        cases = found.setdefault((chapter, task, method, split, positive), {})
        records = cases.setdefault((case, group, note), {})
        path = [p.replace("~1", "/").replace("~0", "~") for p in number.split("/")]
        if target or len(path) > 1:
            path.append(target)
        _place(records.setdefault(metric, {}), path, json.loads(row[11]))
    return {
        key: tuple(CaseScore(c, g, _listed(records), n) for (c, g, n), records in cases.items())
        for key, cases in found.items()
    }


def _place(record: dict[str, Any], path: list[str], value: Any) -> None:
    for step in path[:-1]:
        record = record.setdefault(step, {})
    record[path[-1]] = value


def _listed(value: Any) -> Any:
    """Mappings whose keys are ``[0]``, ``[1]`` ... become lists again."""
    if not isinstance(value, dict):
        return value
    inner = {k: _listed(v) for k, v in value.items()}
    if inner and list(inner) == [f"[{i}]" for i in range(len(inner))]:
        return list(inner.values())
    return inner


def recompute(
    cases_csv: str | Path, *, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> list[tuple[str, Scores]]:
    """The scores of every method, computed anew from the records of its cases.

    Parameters
    ----------
    cases_csv
        As `isocenter.report.write_report` wrote it.
    level, resamples, seed
        As in the run; the report states them.

    Returns
    -------
    list
        Chapter and scores, in the order of the file.

    Raises
    ------
    MissingFileError, TableError
        As in `read_cases`.
    """
    out = []
    for (chapter, task, method, split, positive), cases in read_cases(cases_csv).items():
        keys = tuple(dict.fromkeys(k for c in cases for k in c.records))
        scores = summarise(
            Task(task, "", (), keys, ""),
            cases,
            method=method,
            split=split,
            positive=positive or None,
            abstain="report",
            level=level,
            resamples=resamples,
            seed=seed,
        )
        out.append((chapter, scores))
    return out
