"""One learning curve: the same training from few and from many labels, with and without pre-training on all images."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

import isocenter as iso
from isocenter.catalog import find
from isocenter.data import Cases, Watch, build
from isocenter.files import write_text
from isocenter.fit import Scheme
from isocenter.fit.checkpoint import NAME
from isocenter.fit.fingerprint import fingerprint
from isocenter.fit.fitting import builder
from isocenter.fit.planning import plan
from isocenter.fit.pretraining import FOLDER, informed
from isocenter.layouts import read as read_cases
from isocenter.metrics.exact import holm
from real.run import BUNDLES, RESULTS, data_mark, progress, sources_mark
from real.table import number, score_of, show

CURVES = RESULTS / "curves"
HEAD = """
## Learning curves

Made by `make real ROWS=none CURVES=...`; each curve is one file in `real/curves/`. Labels of few subjects of train,
drawn once (each draw holds the smaller ones); the other images of train stay, without their truth. Both columns learn
by one plan, which was made from the fewest labels, and differ in nothing but pre-training, which is done once for all
points, because it sees no label. Each is scored on `test` once; intervals (95 %) resample the test subjects and hold
for this one draw of labels. All of val chooses the best weights, also where train has few labels.
"""


@dataclass(frozen=True)
class Curve:
    """What is learnt, and from how many labels.

    Parameters
    ----------
    name
        Of the file, the results and the bundles.
    data
        Folder below DATA.
    task, method, settings
        As for a row; `settings` without pre-training.
    pretraining
        Further settings of the runs with it.
    labels
        Numbers of labelled subjects; all of them come last by themselves.
    metric, target
        The figure shown.
    """

    name: str
    data: str
    task: str
    method: str
    settings: Mapping[str, Any]
    pretraining: Mapping[str, Any]
    labels: tuple[int, ...]
    metric: str
    target: str


@dataclass(frozen=True)
class Circumstances:
    """What all trainings of a curve share: their plan, the folder with pre-training and bundles, digests and so on."""

    plan: Scheme
    home: Path
    marks: Mapping[str, str] = field(default_factory=dict)
    threads: int = 1
    seed: int = 0


def run(curve: Curve, data: Path, *, threads: int, seed: int = 0) -> dict[str, Any]:
    """Everything that docs/results.md shows of one curve, written to docs/results/curves/NAME.json as well."""
    folder = data / curve.data
    cases = read_cases(folder, task=curve.task)
    marks = {"recipe": recipe_mark(curve, seed), "data": data_mark(folder), "sources": sources_mark()}
    print(f"{curve.name}: {marks}", flush=True)
    order = drawn(cases, seed)
    shared = begun(curve, few(cases, order[: min(curve.labels)]), marks=marks, threads=threads, seed=seed)
    subsets = [order[:n] for n in (*curve.labels, len(order))]
    made = [[learnt(curve, few(cases, s), len(s), shared, first=first) for first in (False, True)] for s in subsets]
    points = [
        {"subjects": len(s), "images": labelled(few(cases, s)), **looked(curve, cases, pair, shared)}
        for s, pair in zip(subsets, made, strict=True)
    ]
    corrected(points)
    path = CURVES / f"{curve.name}.json"
    before = json.loads(path.read_text(encoding="utf-8"))["looks"] if path.is_file() else []
    result = {
        "format": 1,
        "curve": asdict(curve),
        "marks": marks,
        "seed": seed,
        "threads": threads,
        "plan": shared.plan.as_json(),
        "points": points,
        "looks": before if marks in before else [*before, marks],
    }
    write_text(path, json.dumps(result, indent=1, ensure_ascii=False) + "\n", overwrite=True)
    return result


def drawn(cases: Cases, seed: int) -> list[str]:
    """The subjects of train in the order in which their labels are given away."""
    subjects = list(dict.fromkeys(cases.split("train").groups))
    return [subjects[i] for i in np.random.default_rng(seed).permutation(len(subjects))]


def few(cases: Cases, subjects: Sequence[str]) -> Cases:
    """The cases, of which those of train keep their truth for these subjects alone."""
    kept = set(subjects)
    lost = [i for i, (e, g) in enumerate(zip(cases.entries, cases.groups, strict=True)) if g not in kept]
    return cases.without_truth([i for i in lost if cases.entries[i].split == "train"])


def labelled(cases: Cases) -> int:
    """Images of train that have a truth."""
    return len(cases.split("train").labelled)


def begun(curve: Curve, cases: Cases, *, marks: Mapping[str, str], threads: int, seed: int) -> Circumstances:
    """The plan of every training, and pre-training, which is continued or kept where it stands."""
    recipe = build(find(curve.task, curve.method), {**curve.settings, **curve.pretraining})
    train, valid = cases.split("train"), cases.split("val")
    made = plan(recipe, fingerprint(train, curve.task))
    scheme = replace(made, network=made.network | {"seed": seed})
    home = BUNDLES / f"{curve.name}-{marks['recipe']}-{marks['data']}-{marks['sources']}"
    watch = Watch(progress, home, seed, threads=threads, resume=True)
    _, said = informed(builder(recipe, scheme), scheme, train, valid, watch=watch)
    print(f"{curve.name}: {said['text']}; restored on val: {said['score']:.3f}", flush=True)
    return Circumstances(scheme, home, marks, threads, seed)


def learnt(curve: Curve, cases: Cases, n: int, shared: Circumstances, *, first: bool) -> Path:
    """The bundle of one point, trained unless it stands; `first` with pre-training."""
    name = f"{n}-pretrained" if first else str(n)
    bundle, note = shared.home / f"{name}.bundle", shared.home / f"{name}.json"
    if bundle.is_dir() and note.is_file():
        return bundle
    part = bundle.with_name(bundle.name + ".part")
    shutil.rmtree(bundle, ignore_errors=True)
    if first and not (part / FOLDER / NAME).is_file():
        (part / FOLDER).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(shared.home / FOLDER / NAME, part / FOLDER / NAME)
    own = shared.plan.as_json()
    made = iso.train(
        curve.task,
        cases,
        method=curve.method,
        out=bundle,
        settings={**curve.settings, **(curve.pretraining if first else {})},
        plan=own if first else own | {"pretraining": {}},
        seed=shared.seed,
        threads=shared.threads,
        report=progress,
        resume=part.is_dir(),
    )
    said = {"seconds": made.taken.seconds, "notes": list(made.notes)}
    write_text(note, json.dumps(said, indent=1) + "\n", overwrite=True)
    return bundle


def looked(curve: Curve, cases: Cases, pair: Sequence[Path], shared: Circumstances) -> dict[str, Any]:
    """Both bundles of one point on test: scores, and the paired difference."""
    methods = [str(bundle) for bundle in reversed(pair)]
    found = iso.compare(curve.task, cases, methods=methods, split="test", seed=shared.seed, threads=shared.threads)
    ours, plain = found.methods.values()
    tests = [asdict(t) for t in found.tests if t.metric == curve.metric]
    notes = [json.loads(b.with_suffix(".json").read_text(encoding="utf-8")) for b in pair]
    return {
        "without": plain.as_json(),
        "with": ours.as_json(),
        "tests": tests,
        "seconds": [n["seconds"] for n in notes],
    }


def corrected(points: Sequence[dict[str, Any]]) -> None:
    """Sets ``p_holm`` of each kind of test to Holm's correction over the points."""
    for kind in {test["test"] for point in points for test in point["tests"]}:
        same = [test for point in points for test in point["tests"] if test["test"] == kind]
        for test, p in zip(same, holm([t["p"] for t in same]), strict=True):
            test["p_holm"] = p


def recipe_mark(curve: Curve, seed: int) -> str:
    """Digest of what was asked for."""
    asked = json.dumps({**asdict(curve), "seed": seed}, sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()[:16]


def section(folder: Path) -> str:
    """The part of docs/results.md about docs/results/curves/*.json; nothing where there is none."""
    found = [json.loads(p.read_text(encoding="utf-8")) for p in sorted(folder.glob("*.json"))]
    return "\n".join([HEAD, *(line for one in found for line in _lines(one)), ""]) if found else ""


def _lines(one: dict[str, Any]) -> list[str]:
    curve, study, before = one["curve"], one["plan"]["study"], one["plan"]["pretraining"]
    figure = {"metric": curve["metric"], "target": curve["target"]}
    steps = study["epochs"] * study["steps"]
    lines = [
        f"{curve['data']}, {curve['method']}: {steps} batches of {study['batch_size']} with labels; pre-training "
        f"{before['epochs'] * before['steps']} batches, {before['block']}-pixel blocks, {before['share']:.0%} masked; "
        f"seed {one['seed']}, {one['threads']} threads, {len(one['looks'])} look(s) at `test`.",
        "",
        f"| labelled subjects (images) | {curve['metric']} {curve['target']} without | with pre-training | "
        "with - without, paired (95 % interval) | p (Holm over the points) | test |",
        "|---|---|---|---|---|---|",
    ]
    for point in one["points"]:
        without, ours = (number(score_of(point[k], figure), point[k]) for k in ("without", "with"))
        who = f"{point['subjects']} ({point['images']})"
        for test in point["tests"]:
            between = f"{show(test['difference'])} ({show(test['low'])} to {show(test['high'])})"
            p = "none" if test["p_holm"] is None else f"{test['p_holm']:.2g}"
            lines.append(f"| {who} | {without} | {ours} | {between} | {p} | {test['test']} |")
            who = without = ours = ""
    return [*lines, ""]
