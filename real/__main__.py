"""`python -m real --data FOLDER --rows hippocampus,lungs` (or `all`)."""

from __future__ import annotations

import argparse
import importlib
import os
from pathlib import Path

from isocenter.files import write_text
from real.row import Row
from real.run import RESULTS, run
from real.table import table

FRAME = {"__init__", "__main__", "row", "run", "sets", "table"}


def rows() -> dict[str, Row]:
    """Every row of this folder by its name."""
    names = sorted(p.stem for p in Path(__file__).parent.glob("*.py") if p.stem not in FRAME)
    return {name: importlib.import_module(f"real.{name}").ROW for name in names}


def main() -> None:
    """Runs the rows asked for, then writes the page."""
    known = rows()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the sets")
    parser.add_argument("--rows", default="all", help=f"all, none, or some of {', '.join(known)}")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    asked = parser.parse_args()
    names = {"all": list(known), "none": []}.get(asked.rows, asked.rows.split(","))
    for name in names:
        if name not in known:
            parser.error(f"no row {name}; there are: {', '.join(known)}")
        run(known[name], asked.data, threads=asked.threads)
    write_text(RESULTS.parent / "results.md", table(RESULTS), overwrite=True)


if __name__ == "__main__":
    main()
