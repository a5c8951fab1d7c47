"""One method scored on one split, every number with its interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from isocenter.data import Cases, CaseScore, Problem, Score, Scores
from isocenter.errors import NotFoundError, UsageError, nearest
from isocenter.verbs._cases import (
    ALL,
    cases_of,
    caveats,
    chosen,
    first_refusal,
    known_classes,
    known_to_train,
    unseen,
    with_allowance,
)
from isocenter.verbs._certainty import certainty_lines, certainty_of
from isocenter.verbs._enclosing import at_the_gate
from isocenter.verbs._gate import gate_json, gate_lines, gate_of
from isocenter.verbs._groups import compared, group_lines, groups_json, labelled
from isocenter.verbs._known_facts import with_known_facts
from isocenter.verbs._method import EXPLAINED, Method, resolve, shown
from isocenter.verbs._options import Options, checked, place_of, reporter, threads_of
from isocenter.verbs._places import vacant_report
from isocenter.verbs._recipe import Settings, settings_of
from isocenter.verbs._record import keep
from isocenter.verbs._score import Answered, answer_all, summary
from isocenter.verbs._scores import cost, heading, score_lines
from isocenter.verbs._sides import Judging, apart
from isocenter.verbs._strata import strata_json, strata_lines
from isocenter.verbs._study import study
from isocenter.verbs._text import counted

if TYPE_CHECKING:
    from isocenter.metrics.certainty import Certainty
    from isocenter.metrics.gaps import Gap, Trend


# What a method is first held against: the strongest that learns within seconds, or nothing at all.
RIVALS = {
    "segment": ("histogram", "morphology"), "classify": ("linear", "boosting"), "regress": ("linear", "mean"),
    "instances": ("watershed_split", "contours"), "detect": ("clusters", "template"),
    "register": ("landmarks", "intensity"), "track": ("assignment", "template"),
}  # fmt: skip


@dataclass(frozen=True)
class Evaluation(Scores):
    """The scores of one method, and what happened on the way.

    Parameters
    ----------
    data
        Name of the set.
    by
        Value of the column asked for to the scores of its cases; of many dates the year, of many numbers the third.
    gaps, trend
        Each of these groups against the rest, and the trend along the column; empty and None without a column.
    certainty
        Of a classification: sets, abstention, risk by coverage; None otherwise.
    gate
        With ``outside_data``: ``ood_auroc`` and the shares refused; empty without.
    problems
        Cases that were refused.
    report
        The report's page, or None.
    next
        The command that comes next.
    """

    data: str = ""
    by: Mapping[str, Scores] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()
    trend: Trend | None = None
    certainty: Certainty | None = None
    gate: Mapping[str, Score] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    report: Path | None = None
    next: str = ""

    @property
    def exit_code(self) -> int:
        """3 when cases were refused."""
        return 3 if self.problems else 0

    def as_json(self) -> dict[str, Any]:
        """The document of `Scores`, with groups, strata (sizes and classes), problems and the report's path."""
        more = {"data": self.data, "by": {k: s.as_json()["metrics"] for k, s in self.by.items()},
                "strata": strata_json({"all": self, **self.by}), "problems": [p.as_json() for p in self.problems],
                "certainty": self.certainty.as_json() if self.certainty else None, **groups_json(self.gaps, self.trend),
                "report": str(self.report) if self.report else None}
        whole = super().as_json()
        apart = {"metrics": {**whole["metrics"], **gate_json(self.gate)}} if self.gate else {}
        return {**whole, **more, **apart}

    def lines(self) -> list[str]:
        """The table."""
        lines = [*heading(self, self.data), *[f"note: {n}" for n in self.notes], "", *score_lines(self)]
        lines += [*certainty_lines(self.certainty), *gate_lines(self.gate), *strata_lines(self)]
        lines += group_lines(self.gaps, self.trend)
        for value, scores in self.by.items():
            who = f"{counted(len(scores.cases), 'case')}, {counted(scores.n_subjects, 'subject')}"
            lines += ["", f"{value}: {who}", *score_lines(scores), *strata_lines(scores)]
        lines += ["", cost(self), *[f"refused: {p.line()}" for p in self.problems]]
        return lines + ([f"report: {self.report}"] if self.report else []) + [f"next: {self.next}"]


def evaluate(
    method: Any,
    data: Any,
    *,
    split: str = "test",
    by: str | None = None,
    abstain: str = "wrong",
    settings: Mapping[str, Any] | Settings | None = None,
    out: str | Path | None = None,
    **options: Unpack[Judging],
) -> Evaluation:
    """Scores a method on one split.

    Parameters
    ----------
    method
        A bundle (path or name), ``"TASK/METHOD"``, or an object with `predict`. A classical method that reads some
        fields off train does so first; a method that needs a study must be trained.
    data
        A folder, a table, `Cases`, ``(x, y)`` arrays or a DataFrame.
    split
        Which cases; ``"all"`` for every case, unless the method learns from them.
    by
        A column of the table: its values are scored apart as well.
    abstain
        ``"wrong"``: no answer counts as a wrong or empty one. ``"report"``: the answered cases stand beside, with
        coverage.
    settings
        Of the method's recipe.
    out
        Folder of a report, or None.

    Raises
    ------
    NotFoundError
        The split does not exist.
    LeakageError
        The bundle has studied some of these cases; or patients, for a method that learns here also pictures, stand on
        two sides of the split and nobody allowed it with a reason.
    LabelError
        The cases hold a class that the method has never met.
    """
    from isocenter.infer.holding import held

    checked(options, Judging)
    vacant_report(out, overwrite=options.get("overwrite", False))
    if abstain not in ("wrong", "report"):
        raise UsageError("unknown way to count no answer", got=abstain, wanted="wrong or report")
    task = data.task if isinstance(data, Cases) else None
    asked = resolve(method, task=task, settings=settings_of(settings))
    cases, told = with_known_facts(cases_of(data, asked.task, options=options), [asked], data, options)
    cases = held(with_allowance(cases, options.get("because")))
    apart(asked, cases, split=split, options=options)
    test = _with_column(chosen(cases, split), by)
    ready, notes = at_the_gate(*prepared(asked, cases, test=test, split=split, options=options), test, options=options)
    answered = answer_all(ready, test, report=reporter(options))
    if not answered.scores:
        raise first_refusal(answered.problems, len(test))
    scores = summary(ready, answered, cases=test, split=split, abstain=abstain, seed=options.get("seed", 0),
                     threads=threads_of(options))
    groups = _by(ready, answered, test=test, column=by, like=(scores, abstain, options)) if by else {}
    scores = replace(scores, notes=(*scores.notes, *told, *notes))
    after = _next(ready, place_of(data, options), out=out)
    made = _evaluation(scores, cases.name, groups=groups, answered=answered, after=after)
    made = _surer(made, ready, cases=cases, test=test, by=by, options=options)
    made = _guarded(made, ready, test, options)
    given = {"method": method, "data": data, "split": split, "by": by, "abstain": abstain, "settings": settings}
    given |= options
    return made if out is None else _reported(made, ready, cases=cases, test=test, out=Path(out), given=given)


def prepared(
    asked: Method, cases: Cases, *, test: Cases, split: str, options: Options
) -> tuple[Method, tuple[str, ...]]:
    """The method ready to be scored on `test`, and what that took, as sentences.

    Raises
    ------
    UsageError
        It would be scored on cases that it learns from.
    NotFoundError
        It must be trained first.
    """
    notes = caveats(cases)
    unseen(test, asked.fingerprint, name=asked.name)
    if asked.learns and "train" in cases.splits:
        if asked.studies:
            raise NotFoundError(f"{asked.name} must be trained first", where=asked.task,
                                remedy=f"Run: isocenter train {asked.task} DATA --method {asked.name} -o BUNDLE")
        if split in ("train", ALL):
            raise UsageError(f"{asked.name} learns from train, so its score there says nothing", got=f"--split {split}")
        known_to_train(cases, test)
        notes += (f"{asked.name} {'read its fields off' if asked.answers else 'learnt from'} train first",)
        asked, _ = study(asked, cases, options=options)
    elif not asked.answers:
        raise NotFoundError(f"{asked.name} must learn first and the data have no split 'train'", where=cases.name,
                            got=str(cases.splits), remedy="See: isocenter split")
    known_classes(test, classes_of(asked), name=asked.name)
    return asked, notes


def _reported(
    made: Evaluation, ready: Method, *, cases: Cases, test: Cases, out: Path, given: Mapping[str, Any]
) -> Evaluation:
    from isocenter.report import write_report
    from isocenter.verbs._report import evaluation_run

    run = evaluation_run(made, ready, cases=cases, test=test, command=given.get("command", ""))
    made = replace(made, report=write_report(run, out, overwrite=given.get("overwrite", False)))
    keep(run, given, made=made, cases=cases, methods=[ready], folder=out)
    return made


def classes_of(method: Method) -> tuple[str, ...]:
    """The classes that a bundle knows; empty for what has no bundle."""
    if method.bundle is None:
        return ()
    return tuple(method.bundle.about.get("about", {}).get("classes", ()))


def _evaluation(
    scores: Scores, data: str, *, groups: dict[str, Scores], answered: Answered, after: str
) -> Evaluation:
    values = {f.name: getattr(scores, f.name) for f in fields(Scores)}
    return Evaluation(**values, data=data, by=groups, problems=answered.problems, next=after)


def _with_column(test: Cases, column: str | None) -> Cases:
    """The cases; refused before anything is answered where they lack the column that was asked for."""
    columns = {c for e in test.entries for c in e.notes}
    if column and column not in columns:
        raise NotFoundError(f"the table has no column {column!r} to score by", where=test.name,
                            remedy=nearest(column, columns))
    return test


def _by(
    method: Method, answered: Answered, *, test: Cases, column: str, like: tuple[Scores, str, Judging]
) -> dict[str, Scores]:
    whole, abstain, options = like
    notes = {e.id: str(e.notes.get(column, "")) for e in test.entries}
    apart: dict[str, list[CaseScore]] = {}
    for case, value in zip(answered.scores, labelled([notes[c.case] for c in answered.scores]), strict=True):
        apart.setdefault(value, []).append(case)
    return {
        f"{column} {value}": summary(
            method, Answered(tuple(some), (), 0.0), cases=test, split=whole.split, abstain=abstain,
            seed=options.get("seed", 0), threads=whole.threads)
        for value, some in sorted(apart.items())
    }


def _surer(
    made: Evaluation, method: Method, *, cases: Cases, test: Cases, by: str | None, options: Judging
) -> Evaluation:
    """With how sure the method is, and whether groups of a column differ."""
    certainty = certainty_of(method, made, cases=cases, options=options)
    found, along = compared(made, test, by, seed=options.get("seed", 0)) if by else ((), None)
    return replace(made, certainty=certainty, gaps=found, trend=along)


def _guarded(made: Evaluation, method: Method, test: Cases, options: Judging) -> Evaluation:
    """With how well the method's envelope tells other images from the cases, where some were named."""
    if options.get("outside_data") is None:
        return made
    gate, note = gate_of(method, test, options=options)
    return replace(made, gate=gate, notes=(*made.notes, note))


def _next(method: Method, place: str, *, out: str | Path | None) -> str:
    if out is None and method.bundle is not None and method.task in EXPLAINED:
        return f"isocenter explain {method.reference} INPUT -o explained"
    name = method.reference if method.bundle else method.name
    return f"isocenter compare {method.task} {place} --methods {name},{_other(method)}"


def _other(method: Method) -> str:
    from isocenter import catalog

    known = catalog.methods(method.task) if method.task in catalog.tasks() else ()
    names = [m for m in (*RIVALS.get(method.task, ()), *known) if m in known and m not in (method.method, "given")]
    return names[0] if names else shown(method.name, method.task)
