"""From a row's training to a shipped bundle: the same for every model."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isocenter.bundle import open_bundle, state, write
from isocenter.data import Bundle, Case, Plan
from isocenter.infer.enclosing import enclosed
from isocenter.infer.envelope import Envelope
from isocenter.infer.gated import Gated, parted
from isocenter.inspect import fingerprint
from isocenter.ops.array import Array
from isocenter.verbs._enclosing import described
from real.row import Row
from real.run import RESULTS, cases_of, data_mark, recipe_mark, sources_mark, trained

# A shipped bundle of a small set has a gate too, drawn at the largest distance of its images.
FEW = 10
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
    parser.add_argument("--envelope", action="store_true",
                        help="train nothing: draw the shipped bundle's envelope anew, round the images it learnt from")
    asked = parser.parse_args()
    if asked.envelope:
        enclose(name, row, asked.data, card)
        return
    marks = {"recipe": recipe_mark(row, 0), "data": data_mark(asked.data / row.data), "sources": sources_mark()}
    bundle = trained(row, asked.data, marks, threads=asked.threads, seed=0)
    assert bundle is not None, "a shipped model was trained"
    found = open_bundle(bundle)
    own, arrays, envelope = parted(found.about["about"], state(found))
    shipped(name, found, Kept(own, arrays), envelope, {**found.about["card"], **card, **measured(row, about)})


def enclose(name: str, row: Row, data: Path, card: Mapping[str, str]) -> None:
    """Writes the envelope of its training images into a shipped bundle; the network and what was measured stay.

    Raises
    ------
    SystemExit
        The images are not those that the bundle learnt from.
    """
    found = open_bundle(SHIPPED / name)
    own, arrays, _ = parted(found.about["about"], state(found))
    cases = cases_of(row, data)
    sides = [cases.split(side) for side in ("train", "val")]
    for side in sides:
        split = side.entries[0].split
        if sorted(fingerprint(side).values()) != found.about["fingerprint"][split]:
            raise SystemExit(f"{name}: these are not the images of {split} that the bundle learnt from")
    envelope = enclosed(*sides, plan=Plan.from_json(own["plan"]), fewest=FEW)
    shipped(name, found, Kept(own, arrays), envelope, {**found.about["card"], **card})


@dataclass(frozen=True, eq=False)
class Kept:
    """A fitted method as a bundle holds it, to be written again byte for byte.

    Parameters
    ----------
    about, arrays
        As `isocenter.data.Fitted` gives them.
    """

    about: Mapping[str, Any]
    arrays: Mapping[str, Array]

    def state(self) -> dict[str, Array]:
        """Name to array."""
        return dict(self.arrays)

    def predict(self, case: Case) -> Any:
        """It is only written."""
        raise NotImplementedError


def shipped(name: str, found: Bundle, kept: Kept, envelope: Envelope | None, card: Mapping[str, Any]) -> None:
    """Writes the shipped bundle, with its envelope, and with its card saying what that does."""
    facts = {key: found.about[key] for key in ("made", "origins", "fingerprint")}
    whole = dict(card)
    if envelope is not None:
        whole["gate"] = described(envelope.as_json())
    fitted = kept if envelope is None else Gated(kept, envelope)
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
