"""A table of cases written anew, with the splits that they have now."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isocenter import files
from isocenter import io as images
from isocenter.data import Cases, Entry
from isocenter.errors import IsocenterError, OutputError
from isocenter.io.spreadsheet import safe

NAME = "cases.json"
# Column of a truth that lies in a file; regions are masks.
TRUTH = {"detect": "boxes", "instances": "instances"}


@dataclass(frozen=True)
class Written:
    """What was written: the table, the cases.json beside it (or None), and the number of cases per split."""

    table: Path
    cases_json: Path | None
    splits: Mapping[str, int]
    problems: tuple[Any, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        beside = str(self.cases_json) if self.cases_json else None
        return {"format": 1, "table": str(self.table), "cases_json": beside, "splits": dict(self.splits)}

    def lines(self) -> list[str]:
        """For people."""
        return [f"{self.table}: " + ", ".join(f"{s or 'not divided'} {n}" for s, n in self.splits.items())]


def write_split(cases: Cases, table_path: str | Path, *, overwrite: bool = False) -> Written:
    """Writes a table with the splits of the cases; all other columns stay as they are.

    Cases of a table keep its rows, with paths made relative to the new place; others get the columns image, mask (or
    boxes, or instances) or label, subject, group, split and their notes. A cases.json with what is declared is written
    beside the table, unless the one that holds for it lies there already.

    Parameters
    ----------
    cases
        With splits.
    table_path
        ``.csv``, ``.tsv`` or ``.xlsx``.
    overwrite
        Replace what is there.

    Raises
    ------
    OutputError
        The table exists; its suffix is none of these; another set's cases.json lies there; or no table can name the
        cases: they have no files, several, or files that do not say their axes.
    """
    target = Path(table_path)
    if target.suffix.lower() not in (".csv", ".tsv", ".xlsx"):
        raise OutputError("not a table", where=str(target), wanted=".csv, .tsv or .xlsx")
    folder = target.parent.resolve()
    rows = list(_rows(cases, folder))
    declared = _declared(cases, target.name)
    beside = _beside(cases, folder, declared, overwrite)
    _write(target, rows, overwrite)
    if beside:
        files.write_text(beside, json.dumps(declared, indent=1, ensure_ascii=False) + "\n", overwrite=overwrite)
    return Written(target, beside, cases.splits)


def _rows(cases: Cases, folder: Path) -> Iterator[dict[str, str]]:
    column = str(cases.declared.get("split") or "split")
    base = Path(cases.table).resolve().parent if cases.table else None
    seen: dict[str, str] = {}
    for entry in cases.entries:
        if base is not None and entry.rows:
            for row in entry.rows:
                kept = row if base == folder else {c: _moved(v, base, folder) for c, v in row.items()}
                yield {**kept, column: entry.split}
            continue
        made = _row(cases, entry, folder)
        key = made["image"]
        if key in seen:
            raise OutputError(
                "several cases come from one path, which a table cannot tell apart", where=key,
                got=f"{seen[key]} and {entry.id}", remedy="Write each image to a file of its own first",
            )
        seen[key] = entry.id
        _read_back(entry, key, folder)
        yield made
    yield from _left(cases, base, folder, column)


def _left(cases: Cases, base: Path | None, folder: Path, column: str) -> Iterator[dict[str, str]]:
    """The rows that took no part: on the side of their group where that has one, else on none."""
    if base is None:
        return
    named = [str(cases.declared.get(what) or what) for what in ("group", "subject")]
    who = next((c for c in named if any(c in row for row in cases.left)), "")
    sides = {row[who]: entry.split for entry in cases.entries for row in entry.rows if row.get(who)}
    for row in cases.left:
        kept = row if base == folder else {c: _moved(v, base, folder) for c, v in row.items()}
        yield {**kept, column: sides.get(row.get(who, ""), "")}


def _row(cases: Cases, entry: Entry, folder: Path) -> dict[str, str]:
    image = next((p for role, p in entry.files.items() if role != "truth"), "")
    if not image or len([r for r in entry.files if r != "truth"]) > 1:
        raise OutputError("a table cannot name the files of this case", where=entry.id, wanted="one image file")
    row = {"image": _relative(image, folder)}
    if "truth" in entry.files:
        if not Path(entry.files["truth"].partition("#")[0]).exists():
            # YOLO leaves out the file of an image without objects; a table cannot.
            raise OutputError(
                "a table cannot name a truth that is not there", where=entry.id, got=entry.files["truth"],
                remedy="Write an empty text file for each image without objects",
            )
        row[TRUTH.get(cases.task, "mask")] = _relative(entry.files["truth"], folder)
    if entry.labels or cases.multilabel:
        # No class at all is a semicolon alone: an empty cell would leave the row out.
        row["label"] = ";".join(entry.labels) or ";"
    row |= {"subject": entry.subject, "group": entry.group, "split": entry.split}
    return row | {c: v for c, v in entry.notes.items() if c not in row}


def _read_back(entry: Entry, cell: str, folder: Path) -> None:
    """OutputError where the one path in the table would not give the case's image: several files, or stated axes."""
    name, hash_, rest = cell.partition("#")
    ours = entry.open().image()
    try:
        found = images.read_image(str((folder / name).resolve()) + hash_ + rest)
        got = f"{found.axes} {found.shape}"
    except IsocenterError as error:
        found, got = None, error.what
    if found is None or (found.axes, found.shape) != (ours.axes, ours.shape):
        raise OutputError(
            "a table cannot name this image: it takes several files, or axes that its file does not say",
            where=entry.id, got=got, wanted=f"{ours.axes} {ours.shape}",
            remedy="Write each image to one file that says its axes, or use the splits in Python",
        )


def _moved(cell: str, base: Path, folder: Path) -> str:
    """A cell that names a file, relative to the new folder; any other as it is."""
    name, hash_, rest = cell.partition("#")
    there = base / name
    return _relative(str(there), folder) + hash_ + rest if name and there.is_file() else cell


def _relative(path: str, folder: Path) -> str:
    name, hash_, rest = path.partition("#")
    try:
        relative = os.path.relpath(name, folder)
    except ValueError:
        # Another drive has no relative path.
        relative = name
    return Path(relative).as_posix() + hash_ + rest


def _declared(cases: Cases, table: str) -> dict[str, Any]:
    if cases.declared:
        kept = {k: v for k, v in cases.declared.items() if k not in ("format", "table", "tables")}
        return {"format": 1, "table": table, **kept}
    truth: dict[str, Any] = {}
    if cases.task == "segment" and cases.codes and any("truth" in e.files for e in cases.entries):
        truth = {"segment": {"column": "mask", "labels": dict(cases.codes)}}
    if cases.task == "classify" and cases.positive and any(e.labels for e in cases.entries):
        truth = {"classify": {"column": "label", "positive": cases.positive}}
    if cases.task == "classify" and cases.multilabel:
        truth = {"classify": {"column": "label", "labels": {c: c for c in cases.classes}, "multilabel": True}}
    made: dict[str, Any] = {"format": 1, "table": table}
    if truth and not cases.table:
        made["truth"] = truth
    return made | ({"allow": dict(cases.allow)} if cases.allow else {})


def _names(path: Path, table: str) -> bool:
    """Whether a cases.json is about a table of that name."""
    try:
        return bool(json.loads(path.read_text(encoding="utf-8")).get("table") == table)
    except (OSError, ValueError, AttributeError):
        return False


def _beside(cases: Cases, folder: Path, declared: Mapping[str, Any], overwrite: bool) -> Path | None:
    """Where a cases.json must be written; None where the right one lies there, or none is needed."""
    path = folder / NAME
    base = Path(cases.table).resolve().parent if cases.table else None
    if base == folder and path.is_file():
        return None
    if set(declared) <= {"format", "table"}:
        return None
    if path.exists() and not (overwrite and _names(path, str(declared["table"]))):
        remedy = "Name a table in an empty folder, or beside the first"
        raise OutputError("another cases.json lies here", where=str(path), remedy=remedy)
    return path


def _write(target: Path, rows: Sequence[Mapping[str, str]], overwrite: bool) -> None:
    columns = list(dict.fromkeys(c for row in rows for c in row))
    kept = [c for c in columns if c in ("image", "split") or any(row.get(c) for row in rows)]
    lines = [kept, *([row.get(c, "") for c in kept] for row in rows)]
    if target.suffix.lower() == ".xlsx":
        _workbook(target, lines, overwrite)
        return
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter="\t" if target.suffix.lower() == ".tsv" else ",", lineterminator="\n")
    writer.writerows([safe(cell) for cell in line] for line in lines)
    files.write_text(target, text.getvalue(), overwrite=overwrite)


def _workbook(target: Path, lines: Sequence[Sequence[str]], overwrite: bool) -> None:
    import openpyxl
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    odd = next((v for line in lines for v in line if ILLEGAL_CHARACTERS_RE.search(v)), None)
    if odd is not None:
        remedy = "Write .csv, or clean the cell"
        raise OutputError("a workbook cannot hold control characters", where=str(target), got=repr(odd), remedy=remedy)
    book = openpyxl.Workbook()
    sheet = book.active
    for r, line in enumerate(lines, 1):
        for c, value in enumerate(line, 1):
            # As text, whatever it looks like: a spreadsheet must not turn 001 into 1, nor "=..." into a formula.
            cell = sheet.cell(r, c, value)
            cell.data_type = "s"
    with files.written(target, overwrite=overwrite) as part:
        book.save(part)
