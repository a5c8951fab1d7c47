"""Sets and abstention of a classifier, their limits chosen on val, for the verb that scores one method."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isocenter.data import Cases, Scores
from isocenter.errors import UsageError
from isocenter.verbs._cases import first_refusal
from isocenter.verbs._method import Method
from isocenter.verbs._options import reporter, threads_of
from isocenter.verbs._score import answer_all, summary
from isocenter.verbs._sides import Judging
from isocenter.verbs._text import number, table

if TYPE_CHECKING:
    from isocenter.metrics.certainty import Certainty


def certainty_of(method: Method, scores: Scores, *, cases: Cases, options: Judging) -> Certainty | None:
    """What was asked for about coverage and risk, and always the risk-coverage area; None where nothing classifies.

    Raises
    ------
    UsageError
        Coverage or risk is asked for of another question, or is to be measured on val itself.
    NotFoundError
        There is no val to choose limits on.
    InputError
        Val is too small for the coverage.
    """
    from isocenter.metrics.certainty import certainty

    coverage, risk = options.get("coverage"), options.get("risk")
    asked = coverage is not None or risk is not None
    if scores.task != "classify":
        if asked:
            raise UsageError("coverage and risk are of classifications", got=scores.task)
        return None
    val = _on_val(method, cases, split=scores.split, options=options) if asked else None
    found = certainty(val, scores, coverage=coverage, sets=options.get("sets", "lac"), risk=risk)
    return found if found.rows() else None


def certainty_lines(found: Certainty | None) -> list[str]:
    """The table; nothing where nothing was found."""
    if found is None:
        return []
    rows = [(text, number(s.value), number(s.low), number(s.high), str(s.n), ", ".join(s.flags))
            for text, s in found.rows()]
    lines = ["", *table(("how sure", "value", "low", "high", "n", "flags"), rows, right=range(1, 5))]
    if found.risk is not None and found.limit is None:
        lines.append(f"no confidence keeps wrong decisions on val at {found.risk:g}")
    return lines


def _on_val(method: Method, cases: Cases, *, split: str, options: Judging) -> Scores:
    if split in ("val", "all"):
        raise UsageError("limits are chosen on val, so coverage and risk there say nothing", got=f"--split {split}")
    val = cases.split("val").labelled
    answered = answer_all(method, val, report=reporter(options), what="answer val")
    if not answered.scores:
        raise first_refusal(answered.problems, len(val))
    return summary(method, answered, cases=val, split="val", abstain="wrong", seed=options.get("seed", 0),
                   threads=threads_of(options))
