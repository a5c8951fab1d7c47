"""`python -m real --data FOLDER --rows hippocampus,lungs --tables breast` (or `all`, or `none`)."""

from __future__ import annotations

import argparse
import importlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from isocenter.files import write_text
from real import comparison, curve, gate, study
from real.row import Row
from real.run import RESULTS, run
from real.table import table

FRAME = {"__init__", "__main__", "comparison", "curve", "gate", "row", "run", "sets", "study", "table", "weights"}


def rows() -> dict[str, Row]:
    """Every row of this folder by its name."""
    names = sorted(p.stem for p in Path(__file__).parent.glob("*.py") if p.stem not in FRAME)
    return {name: importlib.import_module(f"real.{name}").ROW for name in names}


def tables() -> dict[str, comparison.Table]:
    """Every table of `tables/` by its name."""
    names = sorted(p.stem for p in (Path(__file__).parent / "tables").glob("*.py") if p.stem != "__init__")
    return {name: importlib.import_module(f"real.tables.{name}").TABLE for name in names}


def curves() -> dict[str, curve.Curve]:
    """Every learning curve of `curves/` by its name."""
    names = sorted(p.stem for p in (Path(__file__).parent / "curves").glob("*.py") if p.stem != "__init__")
    return {name: importlib.import_module(f"real.curves.{name}").CURVE for name in names}


def gates() -> dict[str, gate.Gate]:
    """Every gate of `gates/` by its name."""
    names = sorted(p.stem for p in (Path(__file__).parent / "gates").glob("*.py") if p.stem != "__init__")
    return {name: importlib.import_module(f"real.gates.{name}").GATE for name in names}


def studies() -> dict[str, study.Study]:
    """Every study of `studies/` by its name."""
    names = sorted(p.stem for p in (Path(__file__).parent / "studies").glob("*.py") if p.stem != "__init__")
    return {name: importlib.import_module(f"real.studies.{name}").STUDY for name in names}


def main() -> None:
    """Runs the rows, tables, curves, gates and studies asked for, then writes the pages."""
    known, known_tables, known_curves, known_gates = rows(), tables(), curves(), gates()
    known_studies = studies()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the sets")
    parser.add_argument("--rows", default="all", help=f"all, none, or some of {', '.join(known)}")
    parser.add_argument("--tables", default="none", help=f"all, none, or some of {', '.join(known_tables)}")
    parser.add_argument("--curves", default="none", help=f"all, none, or some of {', '.join(known_curves)}")
    parser.add_argument("--gates", default="none", help=f"all, none, or some of {', '.join(known_gates)}")
    parser.add_argument("--studies", default="none", help=f"all, none, or some of {', '.join(known_studies)}")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    asked = parser.parse_args()
    for name in named(parser, asked.rows, known):
        run(known[name], asked.data, threads=asked.threads)
    for name in named(parser, asked.tables, known_tables):
        comparison.run(known_tables[name], asked.data, threads=asked.threads)
    for name in named(parser, asked.curves, known_curves):
        curve.run(known_curves[name], asked.data, threads=asked.threads)
    for name in named(parser, asked.gates, known_gates):
        gate.run(known_gates[name], asked.data)
    for name in named(parser, asked.studies, known_studies):
        study.run(known_studies[name], asked.data, threads=asked.threads)
    parts = (table(RESULTS), curve.section(curve.CURVES), gate.section(gate.GATES), study.section(study.STUDIES))
    write_text(RESULTS.parent / "results.md", "".join(parts), overwrite=True)
    write_text(RESULTS.parent / "tables.md", comparison.page(comparison.TABLES), overwrite=True)


def named(parser: argparse.ArgumentParser, asked: str, known: Mapping[str, Any]) -> list[str]:
    """The names asked for; ends the program where one is not known."""
    names = {"all": list(known), "none": []}.get(asked, asked.split(","))
    for name in names:
        if name not in known:
            parser.error(f"there is no {name}; there are: {', '.join(known)}")
    return names


if __name__ == "__main__":
    main()
