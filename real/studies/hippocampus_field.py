"""Hippocampi of two people brought together by a network that learnt from pairs of train.

Each train volume is paired with another one (seeded), each val volume with the next; test volume i with i + 1 and
i + 2, cyclic, in the table's order. Before the network an affine map by mutual information. What is shown was named on
val before test was opened; every form is looked at once on test.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import isocenter as iso
from isocenter.catalog import find, task
from isocenter.data import Case, Cases, CaseScore, Correspondence, Entry, NotEvaluated, Transform
from isocenter.layouts import read
from isocenter.metrics import records, summarise
from real.run import BUNDLES, sources_mark
from real.study import Study, cell, verdict
from real.table import show

DATA, EPOCHS = "msd-hippocampus", 20
TASK = replace(task("register"), metrics=("dice", "folding"))
LEARNT = {"images": {}, "regions": {"goal.labels": 1.0}}
WORDS = {"images": "learnt from images alone", "regions": "learnt with regions"}


def run(data: Path, *, threads: int, seed: int) -> dict[str, Any]:
    """Trains both forms, names one on val, and scores all on test."""
    cases = pairs(data / DATA, seed)
    start = Start(find("register", "intensity")(family="affine"))
    forms: dict[str, Any] = {"affine alone": start}
    for name in LEARNT:
        made = iso.load(trained(name, cases, threads=threads, seed=seed), outside="answer")
        forms[WORDS[name]] = Form(alone(made), start)
        forms[f"{WORDS[name]}, refined"] = Form(made, start)
    on_val = {name: scored(form, cases, "val", seed) for name, form in forms.items()}
    best = max(on_val, key=lambda name: on_val[name]["metrics"]["dice"]["all"]["value"])
    print(f"best on val: {best}", flush=True)
    found = {name: scored(form, cases, "test", seed) for name, form in forms.items()}
    return {"pairs": cases.splits, "best_on_val": best, "val": on_val, "test": found}


@dataclass
class Start:
    """The affine map of each pair, found once for all forms, with its seconds."""

    method: Any
    found: dict[str, tuple[Transform | NotEvaluated, float]] = field(default_factory=dict)

    def predict(self, case: Case) -> Transform | NotEvaluated:
        """The map of a pair."""
        if case.id not in self.found:
            started = time.process_time()
            answer = self.method.predict(case)
            self.found[case.id] = answer, time.process_time() - started
        return self.found[case.id][0]

    def seconds(self, case: Case) -> float:
        """What the map took."""
        return self.found[case.id][1]


@dataclass
class Form:
    """A fitted network that begins with a map that was found before."""

    made: Any
    start: Start
    took: dict[str, float] = field(default_factory=dict)

    def predict(self, case: Case) -> Transform | NotEvaluated:
        """Field and start."""
        near = self.start.predict(case)
        if isinstance(near, NotEvaluated):
            return near
        started = time.process_time()
        found: Transform | NotEvaluated = self.made.bent(case, near)
        self.took[case.id] = time.process_time() - started
        return found

    def seconds(self, case: Case) -> float:
        """What start and field took."""
        return self.start.seconds(case) + self.took.get(case.id, 0.0)


def pairs(folder: Path, seed: int = 0) -> Cases:
    """Pairs of two subjects of one split."""
    whole, rng = read(folder, task="segment"), np.random.default_rng(seed)
    entries: list[Entry] = []
    for split in ("train", "val", "test"):
        side = whole.split(split).entries
        n = len(side)
        for i, fixed in enumerate(side):
            others = {"train": (int(rng.integers(1, n)),), "val": (1,), "test": (1, 2)}[split]
            entries += [_pair(fixed, side[(i + away) % n]) for away in others]
    return Cases(tuple(entries), f"{whole.name}-pairs", "register", whole.classes, tasks=("register",))


def _pair(fixed: Entry, moving: Entry) -> Entry:
    name = f"{Path(fixed.id).name}+{Path(moving.id).name}"
    files = {role: e.files.get("image", "") for role, e in (("fixed", fixed), ("moving", moving))}
    return Entry(name, partial(_opened, name, fixed, moving), fixed.subject, fixed.group, fixed.split, files)


def _opened(name: str, fixed: Entry, moving: Entry) -> Case:
    sides = fixed.open(), moving.open()

    def truth() -> Correspondence:
        a, b = (side.truth() for side in sides)
        return Correspondence(a.geometry, b.geometry, regions=(a, b))

    images = {role: side.image() for role, side in zip(("fixed", "moving"), sides, strict=True)}
    return Case(name, images, "fixed", fixed.subject, fixed.group, fixed.split, load_truth=truth)


def trained(name: str, cases: Cases, *, threads: int, seed: int) -> Path:
    """The bundle of one form; one that these sources made is kept, an unfinished training goes on."""
    out = BUNDLES / f"hippocampus-field-{name}-{sources_mark()}.bundle"
    if not out.is_dir():
        out.parent.mkdir(parents=True, exist_ok=True)
        iso.train("register", cases.subset([i for i, e in enumerate(cases.entries) if e.split != "test"]),
                  method="dense_field", out=out, settings={"study.epochs": EPOCHS, **LEARNT[name]}, threads=threads,
                  seed=seed, resume=out.with_name(out.name + ".part").is_dir())
    return out


def alone(made: Any) -> Any:
    """The fitted network without refinement."""
    plan = made.about["plan"]
    about = {**made.about, "plan": {**plan, "settings": {**plan["settings"], "refine": 0}}}
    return type(made)(about, made.arrays)


def scored(form: Any, cases: Cases, split: str, seed: int) -> dict[str, Any]:
    """Metrics with intervals by the fixed image's subject, and seconds a pair."""
    return told([row(form, case) for case in cases.split(split)], split, seed)


def row(form: Any, case: Case) -> tuple[CaseScore, float]:
    """What one pair adds, and the seconds that it took."""
    answer = form.predict(case)
    note = "" if isinstance(answer, Transform) else answer.line()
    return CaseScore(case.id, case.group, records(TASK, answer, case.truth()), note), form.seconds(case)


def told(rows: Sequence[tuple[CaseScore, float]], split: str, seed: int) -> dict[str, Any]:
    """The metrics of some pairs, and their median seconds."""
    found = summarise(TASK, [score for score, _ in rows], method="form", split=split, seed=seed)
    metrics = {k: {t: asdict(s) for t, s in v.items()} for k, v in found.metrics.items()}
    return {"metrics": metrics, "seconds": float(np.median([seconds for _, seconds in rows])), "n": len(rows),
            "not_evaluated": sum(bool(score.note) for score, _ in rows)}


def lines(found: dict[str, Any]) -> list[str]:
    """Every form on val and test, and the bars of the one that val named."""
    rows = []
    for name, one in found["test"].items():
        dice, val = one["metrics"]["dice"], found["val"][name]["metrics"]["dice"]["all"]["value"]
        folds = one["metrics"]["folding"]["all"]["value"]
        shown = f"**{name}**" if name == found["best_on_val"] else name
        rows.append(f"| {shown} | {show(val)} | {cell(dice['all'])} | {show(dice['anterior']['value'])} | "
                    f"{show(dice['posterior']['value'])} | {show(folds)} | {one['seconds']:.1f} |")
    best = found["test"][found["best_on_val"]]["metrics"]
    bars = [
        ("mean Dice", best["dice"]["all"]["value"], "at least 0.74, aim 0.80", best["dice"]["all"]["value"] >= 0.74),
        ("folding, %", best["folding"]["all"]["value"], "at most 0.1", best["folding"]["all"]["value"] <= 0.1),
    ]
    return [
        "| form | Dice on val | Dice on test | anterior | posterior | folding, % | seconds of one core a pair |",
        "|---|---|---|---|---|---|---|", *rows, "", "| test, named on val | figure | must | |", "|---|---|---|---|",
        *(f"| {what} | {show(value)} | {must} | {verdict(ok)} |" for what, value, must, ok in bars),
    ]  # fmt: skip


STUDY = Study("hippocampus_field", "Hippocampi brought together by a network", DATA, run, lines)
