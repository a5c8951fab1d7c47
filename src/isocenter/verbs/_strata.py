"""Scores by size and by class frequency, for people and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from isocenter.data import Score, Scores
from isocenter.verbs._text import number, table

if TYPE_CHECKING:
    from isocenter.metrics.strata import ClassRow

RAREST = "classes, the rarest first"


def strata_json(groups: Mapping[str, Scores]) -> dict[str, Any]:
    """Per group of cases (``all`` is the whole split): how many, what by size, and its classes, the rarest first."""
    from isocenter.metrics.strata import by_class, by_size

    return {
        name: {
            "n_cases": len(scores.cases),
            "n_subjects": scores.n_subjects,
            "sizes": {third: asdict(s) for third, s in by_size(scores).items()},
            "classes": [row.as_json() for row in by_class(scores)],
        }
        for name, scores in groups.items()
    }


def strata_lines(scores: Scores) -> list[str]:
    """The table of classes by frequency; of regions also that of sizes, which objects have among their metrics."""
    from isocenter.metrics.strata import by_class, by_size

    found: list[str] = []
    rows = by_class(scores)
    if rows and rows[0].true is not None:
        objects = [(r.name, str(r.cases), *_counts(r), *_numbers(r.score)) for r in rows]
        head = ("class", "cases", "objects", "found", "false", "recall_50", "low", "high")
        found += ["", RAREST, *table(head, objects, right=range(1, 8))]
    elif len(rows) > 1:
        regions = [(r.name, str(r.cases), *_numbers(r.score)) for r in rows]
        found += ["", RAREST, *table(("class", "cases", "dice", "low", "high"), regions, right=range(1, 5))]
    if scores.task == "segment":
        sized = [(t, *_numbers(s), str(s.n), ", ".join(s.flags)) for t, s in by_size(scores).items()]
        parts = ("size of the region", "dice", "low", "high", "n", "flags")
        found += ["", *table(parts, sized, right=range(1, 5))] if sized else []
    return found


def _counts(row: ClassRow) -> tuple[str, str, str]:
    return str(row.true), str(row.found), str(row.false)


def _numbers(score: Score | None) -> tuple[str, str, str]:
    return ("-", "-", "-") if score is None else (number(score.value), number(score.low), number(score.high))
