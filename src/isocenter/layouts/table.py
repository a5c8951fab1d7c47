"""A table of cases (CSV, TSV, XLSX, Parquet), one row a case, with an optional cases.json beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from isocenter.data import Cases, Entry
from isocenter.errors import AmbiguousError, MissingFileError, TableError, UnreadableError
from isocenter.layouts import cases_json, coco, columns, joining, mask_folders, objects, table_files, voc, yolo
from isocenter.layouts.ask import Ask, Notes
from isocenter.layouts.assembling import unknown_patients
from isocenter.layouts.binding import bind
from isocenter.layouts.cases_json import Declared, Truth
from isocenter.layouts.entries import Opener
from isocenter.layouts.presence import Presence
from isocenter.layouts.rows import Maker, Unit
from isocenter.layouts.table_files import Table

# Conventions that heed a cases.json of their own.
TABLELESS = (coco, voc, yolo, mask_folders)
# Columns that mostly name the patient, in small letters and without signs; told of, never taken by themselves.
PATIENTS = (
    "patient", "patientid", "patientname", "patientno", "pid", "subjectid", "subjectname", "participant",
    "participantid", "mrn", "患者", "患者id", "患者编号", "病人", "病人id", "受试者", "受试者编号", "姓名", "病历号",
    "住院号",
)


def claims(path: Path) -> bool:
    """Whether the path is a table, or a folder with a cases.json, a manifest, or a table that names images."""
    if path.is_file():
        return path.suffix.lower() in table_files.SUFFIXES or path.name == cases_json.NAME
    if not path.is_dir() or candidates(path):
        return path.is_dir()
    # Without a table it speaks of the annotations of a convention that has none.
    file = path / cases_json.NAME
    return file.is_file() and (bool(cases_json.read(file).table) or not any(c.claims(path) for c in TABLELESS))


def read(path: Path, ask: Ask) -> Cases:
    """The cases of a table.

    Raises
    ------
    TableError, AmbiguousError, NotFoundError, LabelError
        As DESIGN's rules for tables say; every message names the row or the column.
    """
    table, declared, notes = opened(path, ask)
    return cases_of(table, declared, ask, notes)


def candidates(folder: Path) -> list[Path]:
    """The tables in a folder that could be its manifest: `manifest.*` first of all, else those that name images."""
    files = sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith((".", "~")))
    tables = [p for p in files if p.suffix.lower() in table_files.SUFFIXES]
    manifests = [p for p in tables if p.stem.lower() == "manifest"]
    # Where another convention describes the folder, a table that is not called manifest is an extra.
    described = any(p.name.lower() == "dataset.json" for p in files)
    return manifests or ([] if described else [p for p in tables if _names_images(p)])


def _names_images(path: Path) -> bool:
    try:
        return columns.has_images(table_files.read(path))
    except (TableError, UnreadableError, AmbiguousError):
        return False


def opened(path: Path, ask: Ask) -> tuple[Table, Declared, Notes]:
    """The table of a folder or file with its joined tables, and what is declared about it.

    Raises
    ------
    AmbiguousError
        Several tables could be the manifest.
    """
    notes = Notes(ask.tolerant)
    path = path.parent if path.name == cases_json.NAME else path
    folder = path if path.is_dir() else path.parent
    declared = cases_json.read(folder / cases_json.NAME) if (folder / cases_json.NAME).is_file() else Declared()
    if path.is_file():
        table = table_files.read(path)
        declared = _fitting(declared, table, notes)
    else:
        table = table_files.read(_chosen(folder, declared))
    return joining.joined(table, declared.tables, notes), declared, notes


def _chosen(folder: Path, declared: Declared) -> Path:
    if declared.table:
        return folder / declared.table
    found = candidates(folder)
    if len(found) > 1:
        raise AmbiguousError(
            "several tables could be the manifest", where=str(folder), got=" and ".join(p.name for p in found),
            remedy="Name the table itself, or say \"table\" in cases.json",
        )
    if not found:
        raise MissingFileError("no table of cases", where=str(folder), wanted="manifest.csv, or a table in cases.json")
    return found[0]


def _fitting(declared: Declared, table: Table, notes: Notes) -> Declared:
    if not declared.table or declared.table == table.path.name:
        return declared
    # A split written beside the manifest has the manifest's columns; what is declared holds for it too.
    mine = {on for _, on in declared.tables}
    foreign = [c for c in declared.named() - mine if c not in table.columns and not declared.tables]
    if mine <= set(table.columns) and not foreign:
        return declared
    notes.note("cases-json", f"cases.json is about {declared.table} and was not used", where=str(table.path))
    return Declared()


def cases_of(table: Table, declared: Declared, ask: Ask, notes: Notes) -> Cases:
    """The cases of rows in memory; raises as `read`."""
    truth = columns.truth(table, declared, ask) if ask.task else Truth()
    for fact in ask.facts or declared.facts:
        table.require(fact, "facts")
    maker = Maker.of(table, declared, ask, truth)
    units = _present(maker.units(notes), table, truth, ask, notes)
    allow = declared.allow
    bound = bind(units, table, truth, ask, notes=notes, repair="geometry" in allow)
    entries = tuple(map(Opener(maker, bound, ask.facts or declared.facts).entry, bound.units))
    _remark(entries, table, notes)
    return Cases(
        entries, table.base.name or "data", ask.task or "", bound.classes, bound.codes, bound.positive,
        multilabel=bound.multilabel, problems=tuple(notes.problems), allow=allow, unused=dict(notes.unused),
        tasks=objects.offered(columns.tasks(table, declared), table, declared), table=str(table.path),
        declared=declared.raw, left=tuple(notes.left),
    )


def _present(units: Sequence[Unit], table: Table, truth: Truth, ask: Ask, notes: Notes) -> list[Unit]:
    """The units whose files are there and which have a truth, where one is asked for."""
    there = Presence(table.base)
    kept = []
    masks = bool(truth.column) and ask.task not in (*columns.LABELLED, *columns.NUMBERED)
    for unit in units:
        if truth.column and not unit.truth and not ask.keeps(unit.split):
            notes.leave_rows(f"no truth in column {truth.column!r}", [row.cells for row in unit.rows])
            continue
        cells = [c for images in unit.images.values() for c in images] + ([unit.truth] if masks and unit.truth else [])
        missing = next((c for c in cells if not there(c)), None)
        if missing is not None:
            row = next((r for r in unit.rows if missing in r.cells.values()), unit.rows[0])
            column = next((c for c, v in row.cells.items() if v == missing), "")
            notes.leave_rows("a file is not there", [row.cells for row in unit.rows])
            notes.refuse(TableError(
                f"row {row.number} names a file that is not there", where=str(table.path), got=f"{column} {missing}",
                remedy="Correct the cell or bring the file; paths are relative to the table",
            ))
            continue
        kept.append(unit)
    if not kept:
        reasons = ", ".join(f"{n} rows: {why}" for why, n in notes.unused.items())
        notes.refuse(TableError("no row can be used", where=str(table.path), got=reasons or "no rows"))
    return kept


def _bare(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())


def _remark(entries: Sequence[Entry], table: Table, notes: Notes) -> None:
    unknown = sum(not (e.subject or e.group) for e in entries)
    if unknown:
        told = unknown_patients(unknown, len(entries), table.path.name)
        likely = next((c for c in table.columns if _bare(c) in PATIENTS), "") if unknown == len(entries) else ""
        remedy = f"Column {likely!r} seems to name them: pass --group {likely}, or call it 'subject'"
        notes.problems.append(replace(told, severity="warning", remedy=remedy) if likely else told)
    other = {e.split for e in entries} - {"train", "val", "test", ""}
    if other:
        notes.note(
            "split-other", "values of split beside train, val and test are listed and never trained on",
            where=table.path.name, got=", ".join(sorted(other)),
        )
