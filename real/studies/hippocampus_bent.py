"""Hippocampi of two people brought together by methods that learn nothing: an affine map, then what bends.

Val volume i is paired with i + 1, test volume i with i + 1 and i + 2, cyclic, in the table's order; the first is the
fixed one. The affine map is `register/intensity` by neighbourhood descriptors, found once a pair for all forms. The
settings were chosen on 40 pairs of train, the best form is named on val; test was looked at once, all forms at a time.
Seconds are processor seconds of one thread with the affine map's, reading left out.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import isocenter as iso
from isocenter.catalog import find
from isocenter.data import Case, Cases, NotEvaluated, Transform
from real.studies.hippocampus_field import DATA, pairs
from real.study import Study, cell, verdict
from real.table import show

START = {"family": "affine", "measure": "mind"}
AFFINE = "affine alone"
FORMS: dict[str, tuple[str, dict[str, Any]]] = {
    "demons": ("demons", {"smoothness": 1.0}),
    "bspline, correlation": ("bspline", {"spacing": 4.0, "bending": 4.0}),
    "bspline, mutual information": ("bspline", {"measure": "mutual", "spacing": 4.0, "bending": 4.0}),
}


@dataclass(frozen=True)
class Held:
    """Maps that were found before, by case."""

    found: dict[str, Transform | NotEvaluated]

    def predict(self, case: Case) -> Transform | NotEvaluated:
        """The map of this case."""
        return self.found[case.id]


def run(data: Path, *, threads: int, seed: int) -> dict[str, Any]:
    """Every form on val, then on test."""
    cases = pairs(data / DATA, seed)
    found: dict[str, Any] = {}
    for split in ("val", "test"):
        held, took = affine(cases.split(split))
        forms = {AFFINE: held} | {n: find("register", m)(start=held, **own) for n, (m, own) in FORMS.items()}
        found[split] = {name: scored(form, cases, split, seed) for name, form in forms.items()}
        for name, one in found[split].items():
            one["seconds"] = took + (one["seconds"] if name != AFFINE else 0.0)
            print(f"{split}, {name}: {one['metrics']['dice']['all']['value']}", flush=True)
        if split == "val":
            best = max(FORMS, key=lambda name: found["val"][name]["metrics"]["dice"]["all"]["value"])
            print(f"best on val: {best}", flush=True)
    return {"best": best, **found}


def affine(cases: Cases) -> tuple[Held, float]:
    """The affine map of every case, and processor seconds a case."""
    method: Any = find("register", "intensity")(**START)
    opened = list(cases)
    method.predict(opened[0])  # compiles what is compiled
    started = time.process_time()
    held = Held({case.id: method.predict(case) for case in opened})
    return held, (time.process_time() - started) / len(opened)


def scored(form: Any, cases: Cases, split: str, seed: int) -> dict[str, Any]:
    """Metrics with intervals by the fixed image's subject, the largest share of folds, and seconds a pair."""
    opened = list(cases.split(split))
    form.predict(opened[0])
    started = time.process_time()
    for case in opened:
        form.predict(case)
    seconds = (time.process_time() - started) / len(opened)
    found = iso.evaluate(form, cases, split=split, seed=seed)
    kept = ("dice", "folding", "inverse_consistency")
    metrics = {k: {t: asdict(s) for t, s in v.items()} for k, v in found.metrics.items() if k in kept}
    return {"metrics": metrics, "seconds": seconds, "not_evaluated": sum(bool(c.note) for c in found.cases)}


def lines(found: dict[str, Any]) -> list[str]:
    """Every form on val and test, and the bars of the one that val named."""
    rows = []
    for name, one in found["test"].items():
        metrics, val = one["metrics"], found["val"][name]["metrics"]["dice"]["all"]["value"]
        mark = "**" if name == found["best"] else ""
        rows.append(
            f"| {mark}{name}{mark} | {show(val)} | {cell(metrics['dice']['all'])} | "
            f"{show(metrics['dice']['anterior']['value'])} | {show(metrics['dice']['posterior']['value'])} | "
            f"{show(metrics['folding']['all']['value'])} | {show(metrics['inverse_consistency']['all']['value'])} | "
            f"{one['seconds']:.1f} | {one['not_evaluated']} |"
        )
    test = found["test"][found["best"]]["metrics"]
    dice, folds = test["dice"]["all"]["value"], test["folding"]["all"]["value"]
    return [
        "| form | Dice on val | Dice on test | anterior | posterior | folding, % | there and back, mm | s a pair | "
        "refused |", "|---|---|---|---|---|---|---|---|---|", *rows, "",
        f"| test, {found['best']}, named on val | figure | must | |", "|---|---|---|---|",
        f"| mean Dice | {show(dice)} | at least 0.74, aim 0.80 | {verdict(dice >= 0.74)} |",
        f"| folding, % | {show(folds)} | at most 0.1 | {verdict(folds <= 0.1)} |",
    ]  # fmt: skip


STUDY = Study("hippocampus_bent", "Hippocampi brought together without learning", DATA, run, lines)
