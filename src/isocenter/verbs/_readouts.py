"""Tables of measured numbers as files: a workbook, CSV files, one JSON document."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from isocenter.errors import OutputError
from isocenter.files import write_text
from isocenter.inspect.readout import Readout
from isocenter.verbs._csv import write_rows
from isocenter.verbs._places import usable
from isocenter.verbs._text import table as lined

NOTICE = "Research use only. Not a medical device."
RELATIONS = "relations"
# Rows of a table that are shown; the files hold all.
SHOWN = 12


def document(tables: Mapping[str, Readout], graphs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Tables as lists of rows, and graphs, as one JSON document."""
    rows = {title: [dict(row) for row in table.rows] for title, table in tables.items()}
    return {"format": 1, "notice": NOTICE, **rows, **({"graphs": list(graphs)} if graphs else {})}


def write_readouts(
    out: str | Path, tables: Mapping[str, Readout], *, graphs: Sequence[Mapping[str, Any]] = (), overwrite: bool = False
) -> tuple[Path, ...]:
    """Writes tables, and graphs of relations beside them as JSON.

    Parameters
    ----------
    out
        ``.xlsx``: one workbook, a sheet a table. ``.csv``: the first table, the others beside it under its name and
        theirs. ``.json``: everything in one document. A folder: a CSV a table.
    tables
        By title.
    graphs
        ``{"nodes", "edges"}``, one an image.
    overwrite
        Replace existing files.

    Raises
    ------
    OutputError
        A file exists, its suffix is no table's, or the place cannot be written. Nothing is written then.
    """
    out = Path(out)
    kind = out.suffix.lower()
    if kind and kind not in (".xlsx", ".csv", ".json") and not out.is_dir():
        raise OutputError("not a table", where=str(out), got=kind, wanted=".xlsx, .csv, .json, or a folder")
    single = kind in (".xlsx", ".json")
    files = dict.fromkeys(tables, out) if single else _named(out, list(tables), kind == ".csv")
    if graphs and kind != ".json":
        files["graph"] = out.with_name(f"{out.stem}_{RELATIONS}.json") if kind else out / f"{RELATIONS}.json"
    usable(out.parent if kind else out)
    there = next((f for f in files.values() if f.exists()), None)
    if there is not None and not overwrite:
        raise OutputError("the file exists", where=str(there), remedy="Pass --overwrite or name another")
    if kind == ".json":
        write_text(out, json.dumps(document(tables, graphs), indent=1, allow_nan=False) + "\n", overwrite=overwrite)
        return (out,)
    if kind == ".xlsx":
        from isocenter.io.workbook import write_workbook

        write_workbook(out, {title: (t.header, t.rows) for title, t in tables.items()}, overwrite=overwrite)
    else:
        for title, table in tables.items():
            write_rows(files[title], table.header, rows=table.rows, overwrite=overwrite)
    if "graph" in files:
        made = {"format": 1, "notice": NOTICE, "graphs": list(graphs)}
        write_text(files["graph"], json.dumps(made, indent=1, allow_nan=False) + "\n", overwrite=overwrite)
    return tuple(dict.fromkeys(files.values()))


def _named(out: Path, titles: Sequence[str], one: bool) -> dict[str, Path]:
    if not one:
        return {title: out / f"{title}.csv" for title in titles}
    first, *others = titles
    return {first: out, **{title: out.with_name(f"{out.stem}_{title}.csv") for title in others}}


def shown(rows: Readout, lead: Sequence[Sequence[str]]) -> list[str]:
    """The first rows of a table as lines.

    Parameters
    ----------
    rows
        The table.
    lead
        Its columns: of each choice the first that the table has.
    """
    columns = [c for choice in lead for c in [next((x for x in choice if x in rows.header), "")] if c]
    texts = [[_cell(row.get(c)) for c in columns] for row in rows.rows[:SHOWN]]
    numeric = [i for i, c in enumerate(columns) if any(isinstance(r.get(c), int | float) for r in rows.rows)]
    lines = lined(columns, texts, right=numeric)
    return [*lines, f"... and {len(rows.rows) - SHOWN} rows more"] if len(rows.rows) > SHOWN else lines


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "-" if value is None else str(value)
