"""One table of many methods on one set, all of them through `isocenter.compare`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import isocenter as iso
from isocenter.files import write_text
from real.run import BUNDLES, RESULTS, data_mark, progress, sources_mark
from real.table import number, paired, score_of

TABLES = RESULTS / "tables"
FIGURES = "| set | metric | a | b | difference a - b (95 % interval) | p (Holm) | test | flags |"
RULE = "|---|---|---|---|---|---|---|---|"
HEAD = """# Methods side by side

Made by `make real TABLES=...`; each table is one file in `real/tables/`, one call of `isocenter compare`, one report.
What learns has learnt on train and stopped on val; the best is named on val before `test` is opened. Intervals hold
95 % and resample subjects; fewer than 10 subjects: no p, and the interval says little (`few_subjects`).
"""


@dataclass(frozen=True)
class Table:
    """What stands in one table.

    Parameters
    ----------
    name
        Of the file, the results and the report.
    data
        Folder below DATA.
    task, methods, settings
        As for `isocenter.compare`.
    metric, target
        The figure shown.
    split
        Which cases.
    note
        What the reader must know beforehand.
    column
        Column of the truth; "" where the data say.
    """

    name: str
    data: str
    task: str
    methods: tuple[str, ...]
    metric: str
    target: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    split: str = "test"
    note: str = ""
    column: str = ""


def run(table: Table, data: Path, *, threads: int, seed: int = 0) -> dict[str, Any]:
    """Everything that docs/tables.md shows of one table, written to docs/results/tables/NAME.json as well."""
    folder = data / table.data
    found = iso.compare(
        table.task,
        str(folder),
        methods=list(table.methods),
        split=table.split,
        settings=dict(table.settings),
        seed=seed,
        threads=threads,
        report=progress,
        out=BUNDLES / f"table-{table.name}-report",
        overwrite=True,
        **({"target": table.column} if table.column else {}),
    )
    result = {
        "format": 1,
        "table": asdict(table),
        "marks": {"data": data_mark(folder), "sources": sources_mark()},
        "seed": seed,
        "threads": threads,
        "methods": {name: s.as_json() for name, s in found.methods.items()},
        "training": {name: {"seconds": t.seconds, "peak_mb": t.peak_mb} for name, t in found.taken.items()},
        "tests": [asdict(t) for t in found.tests],
        "best": found.best,
        "problems": [p.as_json() for p in found.problems],
        "notes": [*found.notes],
    }
    text = json.dumps(result, indent=1, ensure_ascii=False) + "\n"
    write_text(TABLES / f"{table.name}.json", text, overwrite=True)
    return result


def page(folder: Path) -> str:
    """docs/tables.md from docs/results/tables/*.json."""
    lines = [HEAD]
    for one in (json.loads(p.read_text(encoding="utf-8")) for p in sorted(folder.glob("*.json"))):
        lines += [*_table(one), ""]
    return "\n".join(lines)


def _table(one: dict[str, Any]) -> list[str]:
    table, best = one["table"], one["best"]
    figure = {"metric": table["metric"], "target": table["target"]}
    lines = [f"## {table['data']}, {table['task']}, split {table['split']}", ""]
    lines += [table["note"], ""] if table["note"] else []
    lines += [
        f"| method | {table['metric']} {table['target']} (95 % interval) | learnt in | seconds a case |",
        "|---|---|---|---|",
    ]
    for name, scores in one["methods"].items():
        took = one["training"].get(name, {}).get("seconds")
        learnt = f"{took / 60:.1f} min" if took and took >= 30 else (f"{took:.0f} s" if took else "nothing")
        each = scores["seconds"] / max(1, scores["n_cases"])
        said = " (named on val)" if name == best else ""
        lines.append(f"| {name}{said} | {number(score_of(scores, figure), scores)} | {learnt} | {each:.2f} |")
    learnt_on = f"{one['threads']} threads, seed {one['seed']}"
    names = ",".join(table["methods"])
    command = f"`isocenter compare {table['task']} {table['data']} --methods {names}"
    extra = f" --target {table['column']}" if table.get("column") else ""
    extra += "".join(f" --set {k}={json.dumps(v) if isinstance(v, list) else v}" for k, v in table["settings"].items())
    lines += ["", f"{command}{extra} --split {table['split']}`, {learnt_on}."]
    lines += [f"Note: {n}" for n in one["notes"]]
    lines += [f"{p['severity']}: {p['what']} {p['where']}" for p in one["problems"]]
    tests = [t for t in one["tests"] if best in (t["a"], t["b"]) and t["metric"] == table["metric"]]
    kinds = {t["test"] for t in tests}
    tests = [t for t in tests if t["test"] == ("delong" if "delong" in kinds else "paired bootstrap")]
    lines += ["", f"Paired, with {best}, which was named on val:", ""] if tests else []
    lines += [FIGURES, RULE] if tests else []
    return [*lines, *(paired({"row": table}, t) for t in tests)]
