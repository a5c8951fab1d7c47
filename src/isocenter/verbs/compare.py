"""Several methods on the same cases: one table, paired tests, one report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Unpack

from isocenter import catalog
from isocenter.data import Cases, Problem, Scores, Test
from isocenter.errors import IsocenterError, UsageError
from isocenter.verbs._cases import (
    cases_of, chosen, divided, first_refusal, known_classes, known_to_train, unleaked, unseen, with_allowance,
)
from isocenter.verbs._folds import folds_of
from isocenter.verbs._method import Method, resolve
from isocenter.verbs._options import Studying, checked, minutes_of, reporter, threads_of
from isocenter.verbs._recipe import Settings, settings_of
from isocenter.verbs._score import Answered, answer_all, summary
from isocenter.verbs._scores import best_of, leading, side_by_side, test_lines
from isocenter.verbs._study import Budget, Taken, study
from isocenter.verbs._text import counted, duration


@dataclass(frozen=True)
class Comparison:
    """Methods side by side.

    Parameters
    ----------
    task, data, split
        What was asked, of what, on which cases.
    methods
        Name to scores.
    tests
        Paired, with Holm's correction.
    best, chosen_on
        The method named best, and the cases on which it was chosen, before test was opened; None where val is missing.
    taken
        Name to what learning took.
    problems, notes
        What was refused, and what was done for the person.
    report
        Page of the report.
    """

    task: str
    data: str
    split: str
    methods: Mapping[str, Scores]
    tests: tuple[Test, ...] = ()
    best: str | None = None
    chosen_on: str = "val"
    taken: Mapping[str, Taken] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    report: Path | None = None

    @property
    def exit_code(self) -> int:
        """3 when cases were refused."""
        return 3 if any(p.severity == "error" for p in self.problems) else 0

    def as_json(self) -> dict[str, Any]:
        """The document of DESIGN section 5: methods and tests."""
        from dataclasses import asdict

        return {
            "format": 1, "task": self.task, "data": self.data, "split": self.split, "best": self.best,
            "chosen_on": self.chosen_on, "methods": {n: s.as_json() for n, s in self.methods.items()},
            "tests": [{**asdict(t), "flags": list(t.flags)} for t in self.tests],
            "training": {n: {"seconds": t.seconds, "peak_mb": t.peak_mb} for n, t in self.taken.items()},
            "problems": [p.as_json() for p in self.problems], "notes": list(self.notes),
            "report": str(self.report) if self.report else None,
        }

    def lines(self) -> list[str]:
        """One table, the tests, the verdict."""
        first = next(iter(self.methods.values()))
        lead = leading(first)
        lines = [f"{self.task} on {self.data}, split {self.split}: {counted(len(first.cases), 'case')}, "
                 f"{counted(first.n_subjects, 'subject')}; {first.interval.level:.0%} intervals by {first.interval.by}"]
        lines += [f"note: {n}" for n in self.notes] + [f"{p.severity}: {p.line()}" for p in self.problems]
        lines += ["", *side_by_side(self.methods, lead), "", *test_lines(self.tests, lead), ""]
        learnt = [f"{n} {duration(t.seconds)}" for n, t in self.taken.items() if t.seconds is not None]
        lines += [f"learnt in: {', '.join(learnt)}"] if learnt else []
        lines += [f"best on {self.chosen_on}, named before {self.split} was opened: {self.best}"] if self.best else []
        lines += [f"report: {self.report}"] if self.report else []
        return [*lines, f"next: isocenter train {self.task} DATA --method {self.best or next(iter(self.methods))} -o BUNDLE"]


def compare(
    task: str,
    data: Any,
    *,
    methods: Sequence[Any],
    split: str = "test",
    settings: Mapping[str, Any] | Settings | None = None,
    out: str | Path | None = None,
    **options: Unpack[Studying],
) -> Comparison:
    """Scores several methods on the same cases.

    Parameters
    ----------
    task
        The question.
    data
        A folder, a table, `Cases`, ``(x, y)`` arrays or a DataFrame. Unsplit data are split by group, and that is said.
    methods
        Names of methods, bundles, or objects. What has to learn does so on train and val first.
    split
        Which cases the table is about.
    settings
        ``unet.study.epochs`` concerns unet alone; a field without a method's name concerns every method that has it.
    out
        Folder of the report; None: no report.

    Raises
    ------
    LeakageError
        Sides of the split share patients or images, or a bundle has studied cases of `split`.
    UsageError
        Fewer than one method, or one twice.
    """
    checked(options, Studying)
    given = settings_of(settings)
    asked = [_resolved(m, task, given) for m in methods]
    _named_once(asked, given)
    cases = cases_of(data, task, options)
    notes: tuple[str, ...] = ()
    if not options.get("folds"):
        cases, notes = divided(cases, seed=options.get("seed", 0), val_from=options.get("val_from"))
    cases = with_allowance(cases, options.get("because"))
    warned = unleaked(cases, allow=options.get("allow"), because=options.get("because"), strict=options.get("strict", False))
    notes += tuple(f"leakage allowed: {reason}" for reason in cases.allow.values())
    if not cases.subjects_known:
        notes += ("patients unknown: every case counts as a subject of its own",)
    made = _over_folds(asked, cases, options) if options.get("folds") else _on_split(asked, cases, split, options)
    made = replace(made, problems=(*warned, *made.problems), notes=(*notes, *made.notes))
    return made if out is None else _reported(made, cases, Path(out), options)
