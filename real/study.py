"""Figures that take more than one training and its score: one file a study of docs/results.md."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from isocenter.data import Test
from isocenter.files import write_text
from real.run import RESULTS, data_mark, sources_mark
from real.table import show

STUDIES = RESULTS / "studies"


@dataclass(frozen=True)
class Study:
    """What is measured, and how it is shown.

    Parameters
    ----------
    name, title
        Of the file and the results; of the section.
    data
        Folder below DATA.
    run
        Called with the folder of all sets, threads and seed; answers what lines need, as JSON can hold it.
    lines
        The section from what `run` answered, without its title.
    """

    name: str
    title: str
    data: str
    run: Callable[..., dict[str, Any]]
    lines: Callable[[dict[str, Any]], list[str]]


def run(study: Study, data: Path, *, threads: int, seed: int = 0) -> dict[str, Any]:
    """Runs one study and writes docs/results/studies/NAME.json."""
    found = {
        "format": 1, "name": study.name, "seed": seed, "threads": threads,
        "marks": {"data": data_mark(data / study.data), "sources": sources_mark()},
        **study.run(data, threads=threads, seed=seed),
    }  # fmt: skip
    write_text(STUDIES / f"{study.name}.json", json.dumps(found, indent=1) + "\n", overwrite=True)
    return found


def section(folder: Path) -> str:
    """The part of docs/results.md about docs/results/studies/*.json; nothing where there is none."""
    lines: list[str] = []
    for path in sorted(folder.glob("*.json")):
        found = json.loads(path.read_text(encoding="utf-8"))
        study: Study = importlib.import_module(f"real.studies.{found['name']}").STUDY
        marks = ", ".join(f"{k} `{v}`" for k, v in found["marks"].items())
        more = (importlib.import_module(f"real.studies.{found['name']}").__doc__ or "").partition("\n\n")[2]
        said = [" ".join(more.split()), ""] if more else []
        made = f"`make real ROWS=none STUDIES={study.name}`; seed {found['seed']}; {marks}."
        lines += ["", f"## {study.title}", "", made, "", *said, *study.lines(found), ""]
    return "\n".join(lines)


def tests_of(tests: Sequence[Test]) -> list[dict[str, Any]]:
    """Paired tests as JSON holds them."""
    return [{**asdict(t), "flags": list(t.flags)} for t in tests]


def cell(score: dict[str, Any]) -> str:
    """Value, interval and n."""
    return f"{show(score['value'])} ({show(score['low'])} to {show(score['high'])}), n = {score['n']}"


def verdict(reached: bool) -> str:
    """A word for a bar."""
    return "reached" if reached else "**missed**"
