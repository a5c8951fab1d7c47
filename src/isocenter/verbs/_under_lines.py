"""Scores of unchanged and changed cases side by side, for people."""

from __future__ import annotations

from collections.abc import Sequence

from isocenter.data import Disturbed, Score, Test
from isocenter.verbs._scores import paired_lines
from isocenter.verbs._text import number, table

FLAGS = {
    "zero_gradient": "gradients are 0 in 1 of 10 cases or more",
    "loss_does_not_grow": "the loss does not grow in 1 of 10 cases or more",
    "noise_as_good": "noise of the same size does as much",
    "black_box_better": "an attack without gradients gets through where this one failed",
    "below_one_level": "the budget is below one level of the stored pixels",
}


def under_lines(found: Sequence[Disturbed]) -> list[str]:
    """A table for each attack or corruption, a row a method: unchanged, then level by level; then the paired tests."""
    lines: list[str] = []
    for name in dict.fromkeys(d.name for d in found):
        rows = [d for d in found if d.name == name]
        lines += ["", *_table(rows), *_warnings(rows)]
        tests: dict[Test, None] = dict.fromkeys(t for d in rows for t in d.tests)
        lines += ["", *paired_lines(tuple(tests))] if tests else []
    return lines


def _table(rows: Sequence[Disturbed]) -> list[str]:
    first = rows[0]
    shown, clean = first.metric
    head = (f"under {first.name}", f"{clean} unchanged", *(f"{shown} at {level}" for level in first.levels), "n",
            "flags")
    cells = [(d.method, _cell(d.shown()), *(_cell(d.shown(level)) for level in d.levels), str(d.shown(d.lead).n),
              ", ".join(dict.fromkeys((*d.flags, *d.shown(d.lead).flags)))) for d in rows]
    return table(head, cells, right=(len(head) - 2,))


def _cell(score: Score) -> str:
    return f"{number(score.value)} ({number(score.low)} to {number(score.high)})"


def _warnings(rows: Sequence[Disturbed]) -> list[str]:
    said = [f"{d.method}: the attack may be too weak to believe: {FLAGS.get(f, f)}" for d in rows for f in d.flags]
    return [f"note: {line}" for line in (*said, *(f"{d.method}: {n}" for d in rows for n in d.notes))]
