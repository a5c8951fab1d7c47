"""Labels that folds contradict: who answered had not seen them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from isocenter.data import Cases, Problem, Scores
from isocenter.errors import InputError, IsocenterError
from isocenter.report import Picture

# Suspects that are named; the further ones are less contradicted, and are counted. The first of them are drawn.
NAMED, DRAWN = 20, 12
CODE = "label-suspect"


def suspected(folds: Scores | None) -> tuple[tuple[Problem, ...], tuple[str, ...]]:
    """The most contradicted labels as notes, and one sentence about all; nothing where folds answered no class.

    Parameters
    ----------
    folds
        Scores over all cases, each answered by a method that had not seen its group.

    Source: confident learning (Northcutt et al., JAIR 70, 2021).
    """
    from isocenter.metrics.label_noise import suspects_of

    if folds is None or folds.task != "classify":
        return (), ()
    cases = [c for c in folds.cases if "p" in c.records.get("auc", {})]
    if not cases:
        return (), ()
    try:
        found = suspects_of([c.records["auc"] for c in cases])
    except InputError:
        # Several labels at once, or a class that no answered case bears.
        return (), ()
    problems = []
    for row, likely, _ in list(zip(found.index, found.likely, found.margin, strict=True))[:NAMED]:
        record = cases[row].records["auc"]
        classes = list(record["truth"])
        given = next(name for name in classes if record["truth"][name])
        p, other = record["p"], classes[likely]
        got = f"labelled {given} ({p[given]:.2f}), answered {other} ({p[other]:.2f})"
        what = "the label is contradicted by a method that had not seen it"
        problems.append(Problem(CODE, "note", what, cases[row].case, got, remedy="Look at the case again"))
    if not problems:
        return (), ("over the folds no label is contradicted",)
    said = (
        f"over the folds {len(found.index)} of {len(cases)} labels are contradicted; the {len(problems)} most "
        "contradicted are named: mistakes of labelling, or cases that are hard"
    )
    return tuple(problems), (said,)


def suspect_pictures(problems: Sequence[Problem], cases: Cases) -> tuple[Picture, ...]:
    """The first twelve suspects drawn, each with its label and the answer; without those that cannot be drawn."""
    from isocenter.verbs._pictures import picture

    entries = {e.id: e for e in cases.entries}
    drawn = []
    for problem in [p for p in problems if p.code == CODE and p.where in entries][:DRAWN]:
        try:
            found = picture(replace(entries[problem.where].open(), load_truth=None), None)
        except IsocenterError:
            # It could be read when it was answered; a picture less is no reason to lose a report.
            continue
        if found is not None:
            drawn.append(replace(found, text=problem.got))
    return tuple(drawn)
