"""From a row's training to a shipped bundle: the same for every model."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from isocenter import catalog
from isocenter.bundle import open_bundle, state, write
from real.row import Row
from real.run import RESULTS, data_mark, recipe_mark, sources_mark, trained

SHIPPED = Path(__file__).resolve().parents[1] / "src" / "isocenter" / "bundle" / "shipped"


def ship(name: str, row: Row, card: dict[str, str], *, about: str) -> None:
    """Writes the shipped bundle of a row with its card; the row's bundle is trained where it does not stand already.

    Parameters
    ----------
    name
        Of the folder and the command line.
    row
        Whose recipe and data.
    card
        As in `bundle.card`, without the measured figures.
    about
        What the test cases are, such as ``"children of the same set"``.
    """
    parser = argparse.ArgumentParser(description=f"Trains and ships {name}.")
    parser.add_argument("--data", type=Path, required=True, help="folder with the sets")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    asked = parser.parse_args()
    marks = {"recipe": recipe_mark(row, 0), "data": data_mark(asked.data / row.data), "sources": sources_mark()}
    bundle = trained(row, asked.data, marks, threads=asked.threads, seed=0)
    assert bundle is not None, "a shipped model was trained"
    found = open_bundle(bundle)
    cls: Any = catalog.find(found.task, found.method)
    fitted = cls.from_state(found.about["about"], state(found))
    facts = {key: found.about[key] for key in ("made", "origins", "fingerprint")}
    whole = {**found.about["card"], **card, **measured(row, about)}
    write(fitted, SHIPPED / name, task=found.task, method=found.method, overwrite=True, card=whole, **facts)


def measured(row: Row, about: str) -> dict[str, str]:
    """What the row of docs/results.md says, where it was run."""
    path = RESULTS / f"{row.name}.json"
    if not path.is_file():
        return {}
    scores = json.loads(path.read_text(encoding="utf-8"))["ours"]
    said = []
    for wanted in row.figures:
        found = scores["metrics"][wanted.metric][wanted.target]
        of = "" if wanted.target in ("all", "object") else f" of {wanted.target.replace('_', ' ')}"
        said.append(f"{wanted.metric}{of} {found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f})")
    few = "; too few for the interval to say much" if scores["n_subjects"] < 10 else ""
    n, groups = scores["n_cases"], scores["n_subjects"]
    on = f"{n} {about}" if n == groups else f"{n} images of {groups} {about}"
    return {"metrics": f"{', '.join(said)} on {on}, split test{few}"}
