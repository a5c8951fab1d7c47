"""Labels that folds contradict: who answered had not seen them."""

from __future__ import annotations

from isocenter.data import Problem, Scores
from isocenter.errors import InputError

# Suspects that are named; the further ones are less contradicted, and are counted.
NAMED = 20


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
        problems.append(Problem("label-suspect", "note", what, cases[row].case, got, remedy="Look at the case again"))
    if not problems:
        return (), ("over the folds no label is contradicted",)
    said = (
        f"over the folds {len(found.index)} of {len(cases)} labels are contradicted; the {len(problems)} most "
        "contradicted are named: mistakes of labelling, or cases that are hard"
    )
    return tuple(problems), (said,)
