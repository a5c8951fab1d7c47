"""One pass over the truths of a data set: which regions and classes there are, and what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from isocenter import io
from isocenter.data import IGNORE, Boxes, Case, Cases, Entry, Instances, Problem, Segmentation
from isocenter.data.agreement import apart
from isocenter.errors import IsocenterError

# Problems of one kind that are listed one by one; the rest are counted.
LISTED = 5
NUMBER = re.compile(r"\d+(\.\d+)?")
# Classes whose rarest has less than this share of the commonest.
UNEVEN = 0.2


@dataclass(frozen=True)
class Truths:
    """What a pass over the truths found.

    Parameters
    ----------
    pixels
        segment: id to pixels per region; ignored ones under ``"ignore"``.
    counts
        Split to class to number of cases that hold it.
    problems
        Unreadable truths, other grids, strange labels.
    objects
        detect, instances: split to class to number of objects, those to be ignored left out.
    """

    pixels: Mapping[str, Mapping[str, int]]
    counts: Mapping[str, Mapping[str, int]]
    problems: tuple[Problem, ...]
    objects: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def read_all(cases: Cases) -> Truths:
    """Reads every truth of segment, detect, instances, register; the table has said that of classify and regress."""
    counts: dict[str, dict[str, int]] = {s: dict.fromkeys(cases.classes, 0) for s in cases.splits}
    if cases.task in ("detect", "instances"):
        return _objects(cases, counts)
    if cases.task == "register":
        return Truths({}, counts, gathered(_unread(cases)))
    if cases.task != "segment":
        for entry in cases.entries:
            # A number is there or not; regress has one name.
            held = () if entry.unlabelled else cases.classes if cases.task == "regress" else entry.labels
            for label in held:
                counts[entry.split][label] = counts[entry.split].get(label, 0) + 1
        return Truths({}, counts, ())
    pixels: dict[str, dict[str, int]] = {}
    problems: list[Problem] = []
    for entry in cases.entries:
        found = _read(entry, problems)
        if found is None:
            continue
        pixels[entry.id] = found
        for name in cases.classes:
            counts[entry.split][name] += found.get(name, 0) > 0
    return Truths(pixels, counts, gathered(problems))


def _unread(cases: Cases) -> list[Problem]:
    problems: list[Problem] = []
    for entry in cases.entries:
        try:
            entry.open().truth()
        except IsocenterError as error:
            problems.append(Problem.of(error, entry.id))
    return problems


def _objects(cases: Cases, counts: dict[str, dict[str, int]]) -> Truths:
    objects = {split: dict(found) for split, found in counts.items()}
    problems: list[Problem] = []
    empty = 0
    for entry in cases.entries:
        try:
            truth = entry.open().truth()
        except IsocenterError as error:
            problems.append(Problem.of(error, entry.id))
            continue
        if not isinstance(truth, Boxes | Instances):
            continue
        kept = truth.labels
        if isinstance(truth, Boxes) and truth.ignored is not None:
            kept = kept[~truth.ignored]
        found = np.bincount(kept, minlength=len(truth.classes))
        empty += not found.any()
        for name, n in zip(truth.classes, found.tolist(), strict=True):
            counts[entry.split][name] = counts[entry.split].get(name, 0) + (n > 0)
            objects[entry.split][name] = objects[entry.split].get(name, 0) + n
    if empty:
        held = "1 case holds no object: it takes" if empty == 1 else f"{empty} cases hold no object: they take"
        what = f"{held} part, and whatever is found there is wrong"
        problems.append(Problem("no-object", "note", what, cases.name))
    return Truths({}, counts, gathered(problems), objects)


def _read(entry: Entry, problems: list[Problem]) -> dict[str, int] | None:
    try:
        case = entry.open()
        _compare(entry, case, problems)
        truth = case.truth()
    except IsocenterError as error:
        problems.append(Problem.of(error, entry.id))
        return None
    if not isinstance(truth, Segmentation):
        return None
    sizes = np.bincount(truth.labels.ravel(), minlength=256)
    found = {name: int(sizes[i]) for i, name in enumerate(truth.names)}
    return found | ({"ignore": int(sizes[IGNORE])} if sizes[IGNORE] else {})


def _compare(entry: Entry, case: Case, problems: list[Problem]) -> None:
    """Tells of a label that lies a little beside its image; larger differences are refused when it is read."""
    path = entry.files.get("truth", "")
    if not Path(path).is_file():
        return
    found = apart(case.image().geometry, io.read_image(path).geometry)
    if found.kind == "harmless":
        problems.append(Problem(
            "geometry-slight", "warning", "the label's header differs a little from its image's; no pixel moves", path,
            f"{found.millimetres:.4g} mm at the farthest corner", "at most 0.001 mm",
            "Copy the image's header to the label to be rid of this",
        ))


def gathered(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """The problems in order; of each kind (numbers aside) the first few, and one line that counts the rest."""
    kinds: dict[tuple[str, str], list[Problem]] = {}
    for p in problems:
        kinds.setdefault((p.code, NUMBER.sub("N", p.what)), []).append(p)
    out: list[Problem] = []
    for (_, what), same in kinds.items():
        out += same[:LISTED]
        if (more := len(same) - LISTED) > 0:
            out.append(replace(same[0], what=f"{what}: {more} more like this", where="", got="", remedy=""))
    return tuple(out)


def classes_compared(truths: Truths, cases: Cases) -> tuple[Problem, ...]:
    """Classes that test has and train lacks, imbalance, classes that cannot be scored."""
    train, problems = truths.counts.get("train"), []
    if cases.task != "classify" and train and (absent := [c for c, n in train.items() if not n]):
        problems.append(Problem(
            "class-absent", "warning", "train holds no example of a class", cases.name, ", ".join(absent), "",
            "Training is refused so: bring a case of it, or leave the class out of the labels",
        ))
    for split in ("test", "val"):
        found = truths.counts.get(split)
        if not train or not found:
            continue
        new = [c for c, n in found.items() if n and not train.get(c)]
        if new:
            problems.append(Problem(
                "class-unlearnt", "error" if split == "test" else "warning", f"{split} holds a class that train lacks",
                cases.name, ", ".join(f"{c} ({found[c]} cases)" for c in new),
                ", ".join(c for c, n in train.items() if n),
                "Divide anew: isocenter split, which keeps classes on all sides",
            ))
        lost = [c for c, n in train.items() if n and not found.get(c)]
        if lost:
            what = f"{split} holds no case of a class that train has"
            problems.append(Problem("class-unscored", "warning", what, cases.name, ", ".join(lost)))
    return (*problems, *_imbalance(train or next(iter(truths.counts.values()), {}), cases))


def _imbalance(counts: Mapping[str, int], cases: Cases) -> tuple[Problem, ...]:
    filled = {c: n for c, n in counts.items() if n}
    if cases.task != "classify" or len(filled) < 2 or min(filled.values()) >= UNEVEN * max(filled.values()):
        return ()
    return (Problem(
        "imbalance", "note", "the classes are uneven", cases.name, ", ".join(f"{c} {n}" for c, n in filled.items()), "",
        "Judge by AUC or balanced accuracy, not by accuracy; learned methods draw the classes evenly",
    ),)
