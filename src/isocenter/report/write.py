"""A run as a folder: the page, its numbers as tables, its figures, and the key table that stays at home."""

from __future__ import annotations

import csv
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

from isocenter.data import Problem
from isocenter.errors import OutputError
from isocenter.files import write_text
from isocenter.metrics import METRICS
from isocenter.report.card import card_markdown
from isocenter.report.page import page
from isocenter.report.privacy import Codes
from isocenter.report.run import Run
from isocenter.report.tables import (
    CASES_HEAD,
    PAIR_HEAD,
    TABLE_HEAD,
    case_rows,
    csv_text,
    latex,
    markdown,
    pair_rows,
    restored,
    score_rows,
)
from isocenter.report.view import IDENTIFIED, RESEARCH, View

LIMIT = 15_000_000
# Raster pixels per unit of the pictures; the page takes the first with which it stays below the limit.
DETAILS = (2.0, 1.0, 0.5)
PRIVATE = "private"
PROBLEM_HEAD = ("severity", "code", "where", "what", "got", "wanted", "remedy")


def write_report(
    run: Run, folder: str | Path, *, identified: bool = False, key: bytes | None = None, overwrite: bool = False
) -> Path:
    """Writes a run as report.html with its tables and figures beside it; the same run and key give the same bytes.

    ``private/identifiers.csv`` holds the key and says which code stands for whom. It stays where the data live. Written
    again with the key of that file, a report keeps its codes.

    Parameters
    ----------
    run
        What to show.
    folder
        Made when it is not there.
    identified
        Print identifiers as they are; the page, its tables and figures say so.
    key
        Secret for the codes, at least 16 bytes; default that of an earlier report in the folder, else a new one.
    overwrite
        Replace an earlier report.

    Returns
    -------
    Path
        Of report.html.

    Raises
    ------
    OutputError, ResourceError
        There is a report already, or the folder cannot be written; the page is written last.
    UsageError
        The key is too short.
    """
    folder = Path(folder)
    target = folder / "report.html"
    if target.exists() and not overwrite:
        raise OutputError("the file exists", where=str(target), remedy="Pass --overwrite or name another")
    codes = Codes(
        key or earlier_key(folder) or secrets.token_bytes(32),
        known_of(run),
        spared=spared_of(run),
        identified=identified,
    )
    text, figures = fitting(run, codes)
    files = {**tables(run, codes), **{f"figures/{name}": svg for name, svg in figures.items()}}
    files[f"{PRIVATE}/identifiers.csv"] = key_table(codes)
    files[f"{PRIVATE}/.gitignore"] = "*\n"
    # Figures of an earlier report beside tables of this one would tell a wrong story.
    for old in sorted((folder / "figures").glob("*.svg")):
        if f"figures/{old.name}" not in files:
            old.unlink()
    for name, content in files.items():
        write_text(folder / name, content, overwrite=overwrite)
    write_text(target, text, overwrite=overwrite)
    return target


def fitting(run: Run, codes: Codes) -> tuple[str, dict[str, str]]:
    """The page and its figures, with pictures as fine as the size of the page allows."""
    text, view = "", View(codes)
    for detail in DETAILS:
        view = View(codes, detail)
        text = page(view, run)
        if len(text.encode("utf-8")) <= LIMIT:
            break
    return text, view.figures


def known_of(run: Run) -> set[str]:
    """Every string of a run and its chapters that may name a person."""
    known: set[str] = set()
    for r in run.all_runs():
        known.update(r.identifiers)
        known.update(c for s in r.scores for case in s.cases for c in (case.case, case.group))
        known.update(p.case for m in r.methods for p in m.pictures)
        known.update(p.case for p in (*r.samples, *r.suspects))
        known.update(e.case for e in (*r.explanations, *r.inside))
        known.update(a.image for a in r.asked)
        known.update(map(str, r.made.get("inputs") or {}))
    return {k for k in known if k}


def spared_of(run: Run) -> set[str]:
    """Words that name no person: tasks, methods, classes, metrics, splits, the data set."""
    spared = {"train", "val", "test", *METRICS}
    for r in run.all_runs():
        spared.update(a.bundle for a in r.asked)
        spared.update({r.task, r.verb, *(m.name for m in r.methods), *(c.positive for c in r.curves)})
        spared.update(s.split for s in r.scores)
        spared.update(t for s in r.scores for targets in s.metrics.values() for t in targets)
        spared.update(n for m in r.methods for p in m.pictures for n in p.names)
        if r.data is not None:
            spared.update({r.data.name, *r.data.classes, *r.data.splits})
    return {s for s in spared if s}


def tables(run: Run, codes: Codes) -> dict[str, str]:
    """File name to text of everything that is a table."""
    runs = chapters(run)
    remark = RESEARCH + (f" {IDENTIFIED}" if codes.identified else "")
    files = {
        "cases.csv": csv_text(CASES_HEAD, (row for name, r in runs for row in case_rows(r, name, codes))),
        "table.csv": csv_text(TABLE_HEAD, (row for name, r in runs for row in score_rows(r, name))),
        "tests.csv": csv_text(PAIR_HEAD, (row for name, r in runs for row in pair_rows(r, name))),
        "table.md": "\n".join([*(markdown(r, codes) for _, r in runs if r.scores), f"*{remark}*", ""]),
        "table.tex": "\n".join([f"% {remark}", *(latex(r, codes) for _, r in runs if r.scores)]),
        "problems.csv": problems_csv((p for _, r in runs for p in r.problems), codes),
    }
    inputs = [(name, codes.of(str(k)), str(v)) for name, r in runs for k, v in (r.made.get("inputs") or {}).items()]
    if inputs:
        files["inputs.csv"] = csv_text(("chapter", "input", "sha256"), inputs)
    cards = [card_markdown(r.card, title=codes.text(r.title), text=codes.text) for _, r in runs if r.card]
    if cards:
        files["card.md"] = "\n".join(cards)
    return files


def chapters(run: Run, name: str = "") -> list[tuple[str, Run]]:
    """The run and all its chapters with their numbers: "", "1", "2", "2-1" ..."""
    inner = [c for i, part in enumerate(run.parts, 1) for c in chapters(part, f"{name}-{i}" if name else str(i))]
    return [(name, run), *inner]


def problems_csv(problems: Iterable[Problem], codes: Codes) -> str:
    """Problems as a CSV without identifiers."""

    def told(text: str) -> str:
        return codes.text(text, pieces=True)

    rows = (
        (p.severity, p.code, codes.place(p.where), told(p.what), told(p.got), told(p.wanted), told(p.remedy))
        for p in problems
    )
    return csv_text(PROBLEM_HEAD, rows)


def key_table(codes: Codes) -> str:
    """The key, and which code stands for what."""
    rows = [("key", "", codes.key.hex()), *(("code", code, name) for code, name in sorted(codes.used.items()))]
    return csv_text(("kind", "code", "identifier"), rows)


def read_key_table(path: str | Path) -> Mapping[str, str]:
    """Code to identifier, and the key (hexadecimal) under ``""``; empty when there is no such file."""
    path = Path(path)
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {row["code"]: restored(row["identifier"]) for row in csv.DictReader(file)}


def earlier_key(folder: Path) -> bytes | None:
    """The key of a report that lies in the folder already; None when there is none or it is not readable as one."""
    try:
        return bytes.fromhex(read_key_table(folder / PRIVATE / "identifiers.csv").get("", "")) or None
    except (ValueError, KeyError):
        return None
