"""A new table with train, val and test: by group, stratified, seeded."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

from isocenter.data import Cases
from isocenter.errors import OutputError, UsageError
from isocenter.verbs._cases import cases_of
from isocenter.verbs._options import Options, checked
from isocenter.verbs._text import counted, typed


@dataclass(frozen=True)
class Divided:
    """Cases with splits, and the table that was written.

    Parameters
    ----------
    cases
        With their new splits.
    table
        Where they stand, or None.
    seed
        Of the order in which groups were dealt out.
    """

    cases: Cases
    table: Path | None
    seed: int

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "format": 1,
            "table": str(self.table) if self.table else None,
            "splits": self.cases.splits,
            "seed": self.seed,
            "n_cases": len(self.cases),
            "n_subjects": self.cases.n_subjects,
            "subjects_known": self.cases.subjects_known,
            "classes": {name: _classes(self.cases.split(name)) for name in self.cases.splits},
        }

    def lines(self) -> list[str]:
        """Counts a split."""
        lines = []
        for name in self.cases.splits:
            part = self.cases.split(name)
            held = ", ".join(f"{c} {n}" for c, n in _classes(part).items())
            lines.append(f"{name}: {counted(len(part), 'case')}, {counted(part.n_subjects, 'subject')}"
                         + (f" ({held})" if held else ""))
        if not self.cases.subjects_known:
            lines.append(
                "note: patients unknown: every case counts as a subject of its own (--group COLUMN names them)"
            )
        place = typed(self.table) if self.table else "DATA"
        if self.table and _has_another(self.table):
            lines.append(f"note: its folder holds other tables: from now on name {place}, not the folder")
        return [*lines, *([f"table: {self.table}"] if self.table else []), f"next: isocenter check {place}"]


def split(
    data: Any,
    *,
    test: float = 0.2,
    val: float = 0.1,
    folds: int | None = None,
    task: str | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    **options: Unpack[Options],
) -> Divided:
    """Divides cases so that no group stands on two sides.

    Parameters
    ----------
    data
        A folder, a table, `Cases`, ``(x, y)`` arrays or a DataFrame.
    test, val
        Shares of the cases; the rest is train.
    folds
        Instead: that many parts of one size.
    task
        Whose classes are to be shared out evenly; default classify where the data bring a class.
    out
        A table (.csv, .tsv, .xlsx) to write; None: nothing is written.
    overwrite
        Replace it.

    Raises
    ------
    UsageError
        Shares that leave nothing for train.
    InputError
        Fewer groups than parts.
    OutputError
        The table exists, or cannot name the cases.
    """
    from isocenter.inspect import divide

    checked(options)
    if folds is not None and folds < 2:
        raise UsageError("too few folds", got=str(folds), wanted="2 or more")
    cases = cases_of(data, task or _task(data), options=options)
    made = divide(cases, test=test, val=val, folds=folds, seed=options.get("seed", 0))
    if out is None:
        return Divided(made, None, options.get("seed", 0))
    return Divided(made, table_of(made, Path(out), overwrite=overwrite), options.get("seed", 0))


def table_of(cases: Cases, path: Path, *, overwrite: bool) -> Path:
    """Writes the cases with their splits as a table, and the cases.json that belongs to it.

    Raises
    ------
    OutputError
        The table exists, or cannot name the cases, or another set's cases.json lies there.
    """
    from isocenter.inspect import write_split

    if path.exists() and not overwrite:
        raise OutputError("the file exists", where=str(path), remedy="Pass --overwrite or name another")
    beside = path.with_name("cases.json")
    if path.exists() and beside.is_file() and json.loads(beside.read_text(encoding="utf-8")).get("table") == path.name:
        # It was written with this very table and is written anew with it.
        beside.unlink()
    return write_split(cases, path, overwrite=overwrite).table


def _has_another(table: Path) -> bool:
    kinds = (".csv", ".tsv", ".xlsx", ".parquet")
    return any(p != table and p.suffix.lower() in kinds for p in table.parent.iterdir())


def _task(data: Any) -> str:
    from isocenter.layouts import read

    if isinstance(data, Cases) and data.task:
        return data.task
    tasks = read(data).tasks
    return next((t for t in ("classify", "segment", "instances", "detect") if t in tasks), "")


def _classes(cases: Cases) -> dict[str, int]:
    counts: dict[str, int] = {}
    for entry in cases.entries:
        for label in entry.labels:
            counts[label] = counts.get(label, 0) + 1
    return dict(sorted(counts.items()))
