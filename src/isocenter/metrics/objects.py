"""What metrics of boxes and of instances share: which objects stand against which, and records by class.

A record is a mapping of names to mappings by class: ``true`` (objects of the truth that count) and what the metric
needs; ``values`` where each image has a value of its own. ``merged`` names the class under which all classes together
stand; ``answered`` is False for `NotEvaluated`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from isocenter.data import OBJECT, Boxes, Instances, NotEvaluated
from isocenter.errors import GeometryError, LabelError
from isocenter.metrics.by_case import ALL, FOREGROUND, occurring
from isocenter.metrics.metric import Estimate, Record, mean_of_targets, ratio
from isocenter.ops.array import Array

NAMELESS = (OBJECT, FOREGROUND)
Side = TypeVar("Side")
Row = dict[str, Any]


@dataclass(frozen=True)
class Sides(Generic[Side]):
    """One case, class by class.

    Parameters
    ----------
    classes
        What metrics are recorded from, by class of the truth, and under ``object`` all classes together where the truth
        has several; only that where the answer names no class.
    merged
        ``"object"`` where all classes together stand among `classes`, else "".
    answered
        False for `NotEvaluated`.
    """

    classes: Mapping[str, Side]
    merged: str
    answered: bool


def sides(
    prediction: Boxes | Instances | NotEvaluated, truth: Boxes | Instances, made: Callable[[Array, Array], Side]
) -> Sides[Side]:
    """What is scored against what.

    An answer whose only class is ``object`` (or ``foreground``) stands for the only class of the truth, or for all of
    several together; the only class of an answer stands for a truth whose only class is ``object``. Objects of a class
    that the truth does not know count among all together alone.

    Parameters
    ----------
    prediction, truth
        Findings of one kind on one grid; `NotEvaluated` is an answer without any object.
    made
        From the positions of the answer's and of the truth's objects, bool (n,) and (m,), to what metrics take.

    Raises
    ------
    GeometryError
        The answer lies on another grid.
    LabelError
        Answer and truth have no class in common.
    """
    if isinstance(prediction, NotEvaluated):
        names, labels = truth.classes, np.zeros(0, np.int64)
    else:
        names, labels = in_words_of(truth.classes, prediction.classes), prediction.labels
        if prediction.geometry.shape != truth.geometry.shape:
            raise GeometryError(
                "the answer lies on another grid than the truth", got=str(prediction.geometry.shape),
                wanted=str(truth.geometry.shape), remedy="Answer on the case's own grid",
            )  # fmt: skip
    own = np.asarray([truth.classes.index(n) if n in truth.classes else -1 for n in names], np.int64)
    told = own[labels]
    several = len(truth.classes) > 1 and OBJECT not in truth.classes
    nameless = several and len(names) == 1 and names[0] in NAMELESS
    found = {} if nameless else {c: made(told == k, truth.labels == k) for k, c in enumerate(truth.classes)}
    if several:
        found[OBJECT] = made(np.ones(len(labels), bool), np.ones(len(truth.labels), bool))
    return Sides(found, OBJECT if several else "", not isinstance(prediction, NotEvaluated))


def in_words_of(ours: Sequence[str], theirs: Sequence[str]) -> tuple[str, ...]:
    """An answer's class names as the truth spells them (``1`` and ``01.0`` are one name).

    Raises
    ------
    LabelError
        No class in common.
    """
    if len(theirs) == 1 and len(ours) == 1 and (theirs[0] in NAMELESS or ours[0] in NAMELESS):
        return (ours[0],)
    spelt = {_number(c): c for c in ours}
    names = tuple(spelt.get(_number(n), n) for n in theirs)
    nameless = len(names) == 1 and names[0] in NAMELESS and OBJECT not in ours
    if theirs and ours and not nameless and not set(names) & set(ours):
        raise LabelError("answer and truth have no class in common", got=", ".join(theirs), wanted=", ".join(ours),
                         remedy="Name the classes alike, or let the answer's only class be object")
    return names


def _number(name: str) -> str | float:
    try:
        return float(name)
    except ValueError:
        return name


def record(found: Sides[Side], row: Callable[[Side], Row]) -> dict[str, Any]:
    """What one case adds to one metric, from what each class adds: names to classes to values."""
    rows = {c: row(side) for c, side in found.classes.items()}
    out: dict[str, Any] = {k: {c: r[k] for c, r in rows.items()} for k in next(iter(rows.values()), {})}
    out |= {"merged": found.merged} if found.merged else {}
    return out if found.answered else {**out, "answered": False}


def names_of(records: Sequence[Record], part: str = "true") -> list[str]:
    """Classes of a set's records in order of appearance; those of answered cases, if there is one."""
    answered = [r for r in records if r.get("answered", True)] or records
    return list(dict.fromkeys(c for r in answered for c in r.get(part, {})))


def column(records: Sequence[Record], part: str, name: str) -> Array:
    """float64 (n,): one number of one class per case, 0 where the case lacks it."""
    return np.asarray([r.get(part, {}).get(name) or 0.0 for r in records], np.float64)


def with_all(records: Sequence[Record], found: dict[str, Estimate]) -> dict[str, Estimate]:
    """The targets, and under ``all`` the unweighted mean over the classes that occur in the truth (else over all)."""
    classes = occurring(records, found)
    return {**found, ALL: mean_of_targets(found, classes)} if classes else found


def summed(records: Sequence[Record], positive: str | None = None) -> dict[str, Estimate]:
    """One number a class over the whole set: the sum of ``top`` over all images by that of ``bottom``."""
    found = {}
    for name in names_of(records):
        top, bottom = column(records, "top", name), column(records, "bottom", name)
        holding = int(np.count_nonzero(column(records, "true", name)))
        found[name] = _summed(top, bottom, holding)
    return with_all(records, found)


def _summed(top: Array, bottom: Array, holding: int) -> Estimate:
    everywhere = np.ones(len(top), bool)
    return Estimate(lambda w: ratio(w @ top, w @ bottom), everywhere, rarer=holding)
