"""Runs every job of this folder, or those named: `python -m benchmarks resample labels_back`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

FRAME = {"__init__", "__main__", "timing"}


def main(names: list[str]) -> None:
    """Prints one table a job."""
    jobs = sorted(p.stem for p in Path(__file__).parent.glob("*.py") if p.stem not in FRAME)
    unknown = set(names) - set(jobs)
    if unknown:
        sys.exit(f"no job {', '.join(sorted(unknown))}; there are: {', '.join(jobs)}")
    for job in names or jobs:
        for line in importlib.import_module(f"benchmarks.{job}").run():
            print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
