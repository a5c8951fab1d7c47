"""`retina-vessels`: vessels of fundus photographs, trained on CHASE_DB1 (CC BY 4.0).

    python -m zoo.retina_vessels --data FOLDER

The recipe is that of `real/retina.py`; its bundle is taken where it stands already, and trained where it does not.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from isocenter import catalog
from isocenter.bundle import open_bundle, state, write
from real.retina import ROW
from real.run import RESULTS, data_mark, recipe_mark, sources_mark, trained

SHIPPED = Path(__file__).resolve().parents[1] / "src" / "isocenter" / "bundle" / "shipped"
CARD = {
    "name": "retina-vessels",
    "intended_use": "Outlining vessels on colour fundus photographs, for research and teaching.",
    "not_for": "Diagnosis, grading, screening; angiography, OCT, other organs; measuring single vessels.",
    "data": "CHASE_DB1, first ten children, both eyes, first observer's vessels: 14 images of 7 children for training, "
    "2 of 1 child for stopping. Kingston University with St George's, University of London; "
    "Fraz et al., IEEE TBME 59 (2012) 2538.",
    "licence": "CC BY 4.0 (data); Apache-2.0 (weights)",
    "credit": "CHASE_DB1, Fraz et al. 2012, CC BY 4.0",
    "envelope": "RGB photograph of 8 bits, about 1000 pixels across",
    "limits": "Seven children of one set. Thin vessels, haemorrhages, other fields of view and other "
    "cameras are answered less well; nothing was measured there.",
}


def main() -> None:
    """Writes the shipped bundle with its card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the sets")
    asked = parser.parse_args()
    marks = {"recipe": recipe_mark(ROW, 0), "data": data_mark(asked.data / ROW.data), "sources": sources_mark()}
    found = open_bundle(trained(ROW, asked.data, marks, threads=len(os.sched_getaffinity(0)), seed=0))
    cls: Any = catalog.find(found.task, found.method)
    fitted = cls.from_state(found.about["about"], state(found))
    card = {**found.about["card"], **CARD, **measured()}
    facts = {key: found.about[key] for key in ("made", "origins", "fingerprint")}
    write(fitted, SHIPPED / "retina-vessels", task=found.task, method=found.method, overwrite=True, card=card, **facts)


def measured() -> dict[str, str]:
    """What the row of docs/results.md says, where it was run."""
    path = RESULTS / f"{ROW.name}.json"
    if not path.is_file():
        return {}
    scores = json.loads(path.read_text(encoding="utf-8"))["ours"]
    dice = scores["metrics"]["dice"]["vessel"]
    interval = f"{dice['value']:.3f} ({dice['low']:.3f} to {dice['high']:.3f})"
    where = f"{scores['n_cases']} images of {scores['n_subjects']} children of the same set, split test"
    return {"metrics": f"Dice {interval} on {where}; too few children for the interval to say much"}


if __name__ == "__main__":
    main()
