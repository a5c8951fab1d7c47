"""Sets of classes that hold the true one as often as was asked for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Unpack

import numpy as np

from isocenter.data import CaseScore, Score, Scores
from isocenter.errors import InputError, UsageError
from isocenter.metrics.by_case import ALL
from isocenter.metrics.classify import Answers, answers, probability_record, share
from isocenter.metrics.metric import Estimate, Metric, Record, mean_estimate
from isocenter.metrics.summary import Sampling, scored, settled
from isocenter.ops.array import Array

# Fewest calibration cases: with 100 the coverage of one split lies within some 3 percentage points of what was asked.
FEWEST = 100
KINDS = ("lac", "aps")


@dataclass(frozen=True)
class Conformal:
    """Limits by which a set of classes is answered.

    Parameters
    ----------
    kind
        ``"lac"``: every class whose probability reaches its limit (the smallest sets; Sadinle, Lei, Wasserman, JASA
        2019). ``"aps"``: the most probable classes until their sum reaches the limit (sets that are fairer to hard
        cases; Romano, Sesia, Candes, NeurIPS 2020, without their randomisation, so rather too large).
    coverage
        Asked for, between 0 and 1.
    by_class
        Whether each class has its own limit, so that the coverage holds class by class (Mondrian; Vovk 2012).
    limits
        Class to the largest score that still belongs to the set.
    n
        Calibration cases.
    """

    kind: str
    coverage: float
    by_class: bool
    limits: Mapping[str, float]
    n: int

    def sets(self, p: Array) -> Array:
        """(n, k) bool: the set of each row of probabilities (n, k), classes in the order of `limits`."""
        limits = np.array(list(self.limits.values()))
        found = nonconformity(p, self.kind) <= limits
        if self.kind == "aps":
            # The most probable class always belongs to it.
            found[np.arange(len(p)), p.argmax(axis=1)] = True
        return found

    def as_json(self) -> dict[str, Any]:
        """Plain values; a limit that takes in every class is None."""
        limits = {c: v if math.isfinite(v) else None for c, v in self.limits.items()}
        return {"kind": self.kind, "coverage": self.coverage, "by_class": self.by_class, "limits": limits, "n": self.n}


def nonconformity(p: Array, kind: str) -> Array:
    """(n, k): how little each class fits; of probabilities (n, k)."""
    if kind == "lac":
        return np.asarray(1 - p)
    order = np.argsort(-p, axis=1, kind="stable")
    total = np.take_along_axis(p, order, axis=1).cumsum(axis=1)
    out = np.empty_like(total)
    np.put_along_axis(out, order, total, axis=1)
    return out


def conformal(
    scores: Scores, coverage: float, *, kind: str = "lac", by_class: bool = False
) -> Conformal:
    """The limits from calibration cases (split conformal prediction).

    The set then holds the true class of a new case of the same source with at least that probability, whatever the
    probabilities are worth. Cases of one patient are not independent, and cases on which the method was stopped or
    calibrated flatter it a little, so the coverage of another split says more.

    Source: Vovk, Gammerman, Shafer, Algorithmic Learning in a Random World, 2005; Lei et al., JASA 2018.

    Parameters
    ----------
    scores
        Of the calibration cases: of val, never of the cases on which coverage is measured.
    coverage
        Such as 0.9.
    kind, by_class
        As in `Conformal`.

    Raises
    ------
    UsageError
        A coverage not between 0 and 1, or an unknown kind.
    InputError
        Fewer calibration cases than needed, with the number; or several labels may hold at once.
    """
    if not 0 < coverage < 1 or kind not in KINDS:
        wanted = f"0 < coverage < 1 and {' or '.join(KINDS)}"
        raise UsageError("no such sets", got=f"coverage {coverage:g}, {kind}", wanted=wanted)
    a = _answers(scores)
    fewest = max(FEWEST, math.ceil(coverage / (1 - coverage)))
    counts = [int(n) for n in a.truth.sum(axis=0)] if by_class else [len(a.truth)]
    for name, n in zip(a.classes if by_class else ("",), counts, strict=True):
        if n < fewest:
            what = f"too few calibration cases of {name}" if name else "too few calibration cases"
            raise InputError(
                what, where=scores.split, got=str(n), wanted=f"at least {fewest} for coverage {coverage:g}",
                remedy="Use a larger val" + (", or sets without by_class" if name else ""),
            )
    own = nonconformity(a.certain(), kind)[a.truth]
    if not by_class:
        return Conformal(kind, coverage, False, dict.fromkeys(a.classes, _limit(own, coverage)), len(own))
    index = a.truth.argmax(axis=1)
    limits = {c: _limit(own[index == k], coverage) for k, c in enumerate(a.classes)}
    return Conformal(kind, coverage, True, limits, len(own))


def covered(sets: Conformal, scores: Scores, **sampling: Unpack[Sampling]) -> dict[str, dict[str, Score]]:
    """How the sets do on other cases, each number with its interval.

    Returns
    -------
    ``coverage`` (share of cases whose set holds the true class; of all and by class), ``size`` (mean number of classes
    in a set), ``single`` (share of sets of one class) and ``empty``. A case without an answer is not covered.

    Raises
    ------
    InputError
        The cases have other classes, or several labels may hold at once.
    """
    a = _answers(scores)
    unknown = [c for c in a.classes if c not in sets.limits]
    if unknown:
        raise InputError("the sets are of other classes", got=", ".join(unknown), wanted=", ".join(sets.limits))
    chosen = {c: sets.limits[c] for c in a.classes}
    found = Conformal(sets.kind, sets.coverage, sets.by_class, chosen, sets.n).sets(a.certain())
    found &= a.answered[:, None]
    held: Array = np.asarray((found & a.truth).any(axis=1))
    size, everything = found.sum(axis=1), np.ones(len(found), bool)
    tables = {
        "coverage": {ALL: share(held, everything)} | {c: share(held, a.truth[:, k]) for k, c in enumerate(a.classes)},
        "size": {ALL: mean_estimate(size.astype(float))},
        "single": {ALL: share(size == 1, everything)},
        "empty": {ALL: share(size == 0, everything)},
    }
    how, cases = settled(sampling), _scored_cases(scores)
    most = {"size": float(len(a.classes))}
    return {k: scored(_metric(k, most.get(k, 1.0)), table, cases, how) for k, table in tables.items()}


def _metric(key: str, most: float) -> Metric:
    def unused(records: Any, positive: str | None = None) -> dict[str, Estimate]:
        raise NotImplementedError(key)

    return Metric(key, "", "higher", (0.0, most), "", "", lambda *_: None, unused)


def _scored_cases(scores: Scores) -> list[CaseScore]:
    return [c for c in scores.cases if "auc" in c.records]


def _answers(scores: Scores) -> Answers:
    records: list[Record] = [c.records["auc"] for c in _scored_cases(scores)]
    if not records:
        raise InputError("no case was scored by probability", where=scores.method, wanted=probability_record.__name__)
    found = answers(records)
    if found.multilabel:
        raise InputError("sets are for classes of which one holds", where=scores.method, got="several labels at once")
    return found


def _limit(own: Array, coverage: float) -> float:
    rank = math.ceil((len(own) + 1) * coverage)
    return float(np.sort(own)[rank - 1]) if rank <= len(own) else math.inf
