"""Which given labels a model that had not seen them contradicts: confident learning (Northcutt et al., JAIR 70, 2021).

The probabilities must come from outside the training of the model that gives them (folds, a held-out split): a network
that has learnt a wrong label by heart agrees with it. A suspect is a case to look at, not a proven mistake: hard cases
are suspects too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isocenter.errors import InputError
from isocenter.metrics.classify import answers
from isocenter.metrics.metric import Record
from isocenter.ops.array import Array


@dataclass(frozen=True)
class Suspects:
    """Cases whose label is contradicted, the most contradicted first.

    Parameters
    ----------
    index
        (m,) rows of the table that was asked about.
    likely
        (m,) class that the model is sure of instead.
    margin
        (m,) probability of the given class less that of the most probable other; -1 to 1, mostly below 0.
    joint
        (classes, classes) estimated shares of all cases: given label by row, likely label by column.
    """

    index: Array
    likely: Array
    margin: Array
    joint: Array

    @property
    def noise(self) -> float:
        """Estimated share of wrong labels."""
        return float(1.0 - np.trace(self.joint))


def margins(p: Array, given: Array) -> Array:
    """(n,) probability of the given class less that of the most probable other: low where the label is contradicted.

    Parameters
    ----------
    p
        (n, classes) out-of-fold probabilities, two classes or more.
    given
        (n,) index of the given class.

    >>> margins(np.array([[0.9, 0.1], [0.9, 0.1]]), np.array([0, 1])).round(3).tolist()
    [0.8, -0.8]
    """
    rows = np.arange(len(p))
    others = np.array(p, float)
    others[rows, given] = -np.inf
    return np.asarray(np.asarray(p, float)[rows, given] - others.max(1))


def suspects(p: Array, given: Array) -> Suspects:
    """Cases that the model is sure of as another class.

    Sure of a class is whoever has at least the mean probability of it among the cases that bear its label, so that a
    class of which the model is never quite sure asks for less. The joint table of given and likely labels is scaled to
    the number of cases that bear each label, as in the paper.

    Parameters
    ----------
    p
        (n, classes) out-of-fold probabilities.
    given
        (n,) index of the given class.

    Raises
    ------
    InputError
        Shapes that do not fit, values that are not finite, fewer than two classes, or a class that no case bears.
    """
    p, given = np.asarray(p, float), np.asarray(given)
    _refused(p, given)
    classes = p.shape[1]
    limits = np.array([p[given == c, c].mean() for c in range(classes)])
    sure = p >= limits
    likely = np.where(sure, p, -np.inf).argmax(1)
    known = sure.any(1)
    counts = np.zeros((classes, classes))
    np.add.at(counts, (given[known], likely[known]), 1)
    joint = counts / np.maximum(counts.sum(1, keepdims=True), 1) * np.bincount(given, minlength=classes)[:, None]
    wrong = np.flatnonzero(known & (likely != given))
    found = margins(p, given)[wrong]
    order = np.argsort(found, kind="stable")
    return Suspects(wrong[order], likely[wrong][order], found[order], joint / max(joint.sum(), 1e-12))


def suspects_of(records: Sequence[Record]) -> Suspects:
    """The same of records as `classify.probability_record` makes them; unanswered cases are never suspects.

    `index` counts the records. Several labels at once are refused: each is a question by itself.

    Raises
    ------
    InputError
        As `suspects`, or several labels at once.
    """
    known = answers(records)
    if known.multilabel:
        raise InputError("suspect labels are of classes of which one holds", remedy="Ask about one label at a time")
    rows = np.flatnonzero(known.answered)
    found = suspects(known.p[rows], known.truth[rows].argmax(1))
    return Suspects(rows[found.index], found.likely, found.margin, found.joint)


def _refused(p: Array, given: Array) -> None:
    if p.ndim != 2 or p.shape[1] < 2 or given.shape != p.shape[:1]:
        raise InputError(
            "probabilities and labels do not fit",
            got=f"{p.shape} and {given.shape}",
            wanted="(n, classes >= 2) and (n,)",
        )
    if not np.isfinite(p).all():
        raise InputError("probabilities are not finite", remedy="Leave unanswered cases out")
    absent = sorted(set(range(p.shape[1])) - set(np.unique(given).tolist()))
    if absent or not ((given >= 0) & (given < p.shape[1])).all():
        raise InputError(
            "each class needs a case that bears its label", got=f"labels {sorted(set(given.tolist()))}",
            wanted=f"0 to {p.shape[1] - 1}", remedy="Leave classes without cases out",
        )  # fmt: skip
