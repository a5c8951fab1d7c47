"""What a classical method learns from train: fields that stand open, chosen by F1 at IoU 0.5."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from isocenter.data import Boxes, Case, Cases, NotEvaluated, Predictor, Progress, Watch
from isocenter.errors import LabelError
from isocenter.metrics.detect import BoxSide, f1_50_row, found
from isocenter.metrics.score_limit import best_limit
from isocenter.ops.array import Array
from isocenter.tasks._looked import in_memory, looked_at
from isocenter.tasks.detect._kinds import Kinds, features, learnt
from isocenter.tasks.detect._pixels import pixels

M = TypeVar("M", bound=Predictor[Boxes])


@dataclass(frozen=True, eq=False)
class Example:
    """One training case, its channels and its boxes without those that are ignored."""

    case: Case
    array: Array
    truth: Boxes


def examples(train: Cases) -> list[Example]:
    """4 to 24 cases evenly spaced over train, and further ones until every class has been met.

    Raises
    ------
    LabelError
        A class has no box in train, or the cases have other classes.
    """
    first = looked_at(train)
    out: list[Example] = []
    missing = set(range(len(train.classes)))
    for i in [*first, *(i for i in range(len(train)) if i not in first)]:
        if len(out) >= len(first) and not missing:
            break
        example = _looked(train[i], train.classes)
        if example is not None and (len(out) < len(first) or missing & set(example.truth.labels.tolist())):
            out.append(example)
            missing -= set(example.truth.labels.tolist())
    if missing:
        names = ", ".join(train.classes[c] for c in sorted(missing))
        raise LabelError(
            "a class has no box in train", where=train.name, got=names, wanted="a box of each class",
            remedy="Give train a case of it, or leave the class out of the set",
        )
    return out


def _looked(case: Case, classes: tuple[str, ...]) -> Example | None:
    truth = case.truth()
    if not isinstance(truth, Boxes) or truth.classes != classes:
        raise LabelError("the case has no boxes over the classes of train", where=case.id, wanted=", ".join(classes))
    kept = in_memory(case)
    array = pixels(kept)
    if isinstance(array, NotEvaluated):
        return None
    return Example(kept, array, truth if truth.ignored is None else truth.chosen(~truth.ignored))


def kinds_of(shown: Sequence[Example]) -> Kinds:
    """What the classes look like in these cases."""
    rows = [features(e.truth.edges, e.array) for e in shown]
    return learnt(shown[0].truth.classes, rows, [e.truth.labels for e in shown])


def sides_of(method: Predictor[Boxes], shown: Sequence[Example]) -> list[dict[str, BoxSide]]:
    """Answer and truth of each case, class by class."""
    return [dict(found(method.predict(e.case), e.truth).classes) for e in shown]


def f1(sides: Sequence[dict[str, BoxSide]], classes: Sequence[str]) -> float:
    """2 TP / (2 TP + FP + FN) over boxes with a score of at least 0.5, mean over classes."""
    values = []
    for name in classes:
        rows = [f1_50_row(s[name]) for s in sides if name in s]
        values.append(sum(r["top"] for r in rows) / max(1, sum(r["bottom"] for r in rows)))
    return float(np.mean(values))


def best(
    candidates: Sequence[M], shown: Sequence[Example], *, watch: Watch, share: tuple[float, float] = (0.0, 1.0)
) -> M:
    """The candidate of the greatest F1 with its best score limits; the first on a tie.

    Parameters
    ----------
    candidates
        At least one; a single one is returned without looking.
    shown
        Cases with truth.
    watch
        Receives progress.
    share
        Part of the whole work that this choice is.
    """
    if len(candidates) == 1:
        return candidates[0]
    classes, scores = shown[0].truth.classes, []
    for n, candidate in enumerate(candidates):
        sides = sides_of(candidate, shown)
        limits = limits_of(sides, classes)
        scores.append(f1([_above(s, classes, limits) for s in sides], classes))
        done = share[0] + (share[1] - share[0]) * (n + 1) / len(candidates)
        watch.report(Progress("choose", done, score=max(scores)))
    return candidates[int(np.argmax(scores))]


def limits_of(sides: Sequence[dict[str, BoxSide]], classes: Sequence[str]) -> tuple[float, ...]:
    """The score limit of each class."""
    return tuple(best_limit([s[c] for s in sides if c in s]) for c in classes)


def _above(side: dict[str, BoxSide], classes: Sequence[str], limits: Sequence[float]) -> dict[str, BoxSide]:
    out = {}
    for name, limit in zip(classes, limits, strict=True):
        if name in side:
            kept = side[name].scores >= limit
            # Whatever their scores were: these are the boxes that count.
            out[name] = replace(side[name], edges=side[name].edges[kept], scores=np.ones(int(kept.sum())))
    return out
