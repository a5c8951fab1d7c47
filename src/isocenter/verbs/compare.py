"""Several methods on the same cases: one table, paired tests, one report."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass, replace
from pathlib import Path
from typing import Any, Unpack

from isocenter import catalog
from isocenter.data import Cases, Disturbed, Perturbation, Problem, Scores, Test, knobs
from isocenter.errors import RecipeError, UsageError, nearest
from isocenter.verbs._cases import (
    cases_of,
    caveats,
    chosen,
    divided,
    examined,
    first_refusal,
    known_classes,
    known_to_train,
    unseen,
    with_allowance,
)
from isocenter.verbs._folds import folds_of, named
from isocenter.verbs._known_facts import with_known_facts
from isocenter.verbs._method import Method, resolve
from isocenter.verbs._options import Studying, checked, minutes_of, place_of, reporter, threads_of
from isocenter.verbs._places import vacant_report
from isocenter.verbs._recipe import Settings, settings_of
from isocenter.verbs._record import keep
from isocenter.verbs._score import Answered, answer_all, summary
from isocenter.verbs._scores import best_of, leading, paired_lines, side_by_side, unproven
from isocenter.verbs._strains import Strain, strains_of, without
from isocenter.verbs._study import Budget, Taken, sides, study
from isocenter.verbs._text import counted, duration, typed
from isocenter.verbs._under import disturbed
from isocenter.verbs._under_lines import under_lines
from isocenter.verbs.evaluate import classes_of

# The row of nested folds: in each fold, what the method answers that was chosen without its test part.
CHOSEN = "chosen"


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
    predictors
        Name to the fitted method that answered.
    place, sets
        The data as they are typed, and name to its settings, for the next command.
    under
        Each method under an attack or a corruption.
    changes
        "METHOD under ATTACK" to what was found at the leading level by case, for pictures.
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
    predictors: Mapping[str, Method] = field(default_factory=dict)
    place: str = "DATA"
    sets: Mapping[str, str] = field(default_factory=dict)
    under: tuple[Disturbed, ...] = ()
    changes: Mapping[str, Mapping[str, Perturbation]] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """3 when cases were refused."""
        return 3 if any(p.severity == "error" for p in self.problems) else 0

    def as_json(self) -> dict[str, Any]:
        """The document of DESIGN section 5: methods and tests."""
        return {
            "format": 1, "task": self.task, "data": self.data, "split": self.split, "best": self.best,
            "chosen_on": self.chosen_on, "methods": {n: s.as_json() for n, s in self.methods.items()},
            "tests": [{**asdict(t), "flags": list(t.flags)} for t in self.tests],
            "training": {n: {"seconds": t.seconds, "peak_mb": t.peak_mb} for n, t in self.taken.items()},
            "problems": [p.as_json() for p in self.problems], "notes": list(self.notes),
            "report": str(self.report) if self.report else None,
            **({"under": [d.as_json() for d in self.under]} if self.under else {}),
        }

    def lines(self) -> list[str]:
        """One table, the tests, the verdict."""
        first = next(iter(self.methods.values()))
        lead = leading(*self.methods.values())
        lines = [f"{self.task} on {self.data}, split {self.split}: {counted(len(first.cases), 'case')}, "
                 f"{counted(first.n_subjects, 'subject')}; {first.interval.level:.0%} intervals by {first.interval.by}"]
        lines += [f"note: {n}" for n in self.notes] + [f"{p.severity}: {p.line()}" for p in self.problems]
        lines += ["", *side_by_side(self.methods, lead), "", *paired_lines(self.tests)]
        lines += [*unproven(self.tests, self.best, lead), *under_lines(self.under), ""]
        learnt = [f"{n} {duration(t.seconds)}" for n, t in self.taken.items() if t.seconds is not None]
        lines += [f"learnt in: {', '.join(learnt)}"] if learnt else []
        when = f"before {self.split} was opened" if " " not in self.split else "inside each fold before its test part"
        lines += [f"best on {self.chosen_on}, named {when}: {self.best}"] if self.best else []
        lines += [f"report: {self.report}"] if self.report else []
        return [*lines, f"next: {self._next()}"]

    def _next(self) -> str:
        name = self.best or next(iter(self.methods))
        best = self.predictors.get(name)
        if best is not None and best.bundle is not None:
            return f"isocenter predict {best.reference} INPUT -o OUT"
        if best is None or best.method == "given" or best.method not in catalog.methods(self.task):
            return f"isocenter methods {self.task}"
        return f"isocenter train {self.task} {self.place} --method {best.method}{self.sets.get(name, '')} -o BUNDLE"


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
        Names of methods, bundles, or objects. What has to learn does so on train and val first. ``"NAME=METHOD"``
        lets one method stand several times, each with settings of its own name: ``a=cnn`` with ``a.network``.
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
        Fewer than one method, or one twice; an attack that a method cannot take.
    """
    from isocenter.infer.holding import held

    checked(options, Studying)
    if options.get("inner") and not options.get("folds"):
        raise UsageError("inner folds lie inside folds", got=f"inner={options['inner']}", wanted="folds beside it")
    vacant_report(out, overwrite=options.get("overwrite", False))
    given = without(settings_of(settings), options)
    asked = [_resolved(m, task, settings=given) for m in methods]
    _named_once(asked, given)
    cases, told = with_known_facts(cases_of(data, task, options=options), asked, data, options)
    strains = strains_of(asked, settings_of(settings), options, cases=cases)
    notes: tuple[str, ...] = ()
    if not options.get("folds"):
        # A val that training leaves alone is called test from here on.
        split = "test" if split == "val" and options.get("val_from") else split
        cases, notes = divided(cases, seed=options.get("seed", 0), val_from=options.get("val_from"))
    cases = held(with_allowance(cases, options.get("because")))
    exam = examined(cases, options)
    notes += (*told, *caveats(cases))
    made = (
        _over_folds(asked, cases, options=options)
        if options.get("folds")
        else _on_split(asked, cases, split=split, options=options)
    )
    made = _under(made, strains, cases, options)
    made = replace(made, place=place_of(data, options), sets={m.name: _typed(m, given) for m in asked})
    made = replace(made, problems=(*exam.problems, *made.problems), notes=(*notes, *made.notes))
    asked_for = {"task": task, "data": data, "methods": methods, "split": split, "settings": settings, **options}
    return made if out is None else _reported(made, cases, folder=Path(out), given=asked_for)


def _under(made: Comparison, strains: Sequence[Strain], cases: Cases, options: Studying) -> Comparison:
    """The comparison with every method under every attack and corruption, once what is best is named."""
    if not strains:
        return made
    test = chosen(cases, made.split)
    rows, problems, found = disturbed(
        strains, made.predictors, made.methods, cases=test, split=made.split, options=options
    )
    return replace(made, under=rows, changes=found, problems=(*made.problems, *problems))


def _resolved(spec: Any, task: str, *, settings: Settings) -> Method:
    """One method with what concerns it: its own settings, and the common ones that it has fields for."""
    alias, spec = _alias(spec, task)
    name = spec.rpartition("/")[2] if isinstance(spec, str) else ""
    if name not in catalog.methods(task):
        return resolve(spec, task=task)
    fields = {k.name for k in knobs(catalog.find(task, name))}
    common = {k: v for k, v in settings.values.items() if k in fields}
    own = settings.of(alias or name)
    both = Settings({**common, **own.values}, {**{k: settings.origins.get(k, "") for k in common}, **own.origins})
    found = resolve(spec, task=task, settings=both)
    return replace(found, name=alias) if alias else found


def _typed(method: Method, settings: Settings) -> str:
    """What was set of one method, as a command takes it, so that training it alone gives the same."""
    own = {k: settings.values.get(f"{method.name}.{k}", settings.values.get(k)) for k in method.origins}
    return "".join(f" --set {typed(f'{k}={v if isinstance(v, str) else json.dumps(v)}')}" for k, v in own.items())


def _alias(spec: Any, task: str) -> tuple[str, Any]:
    """NAME and METHOD of ``NAME=METHOD``, under which one method stands in a table with several settings."""
    name, equals, method = spec.partition("=") if isinstance(spec, str) else ("", "", "")
    if not equals or method.rpartition("/")[2] not in catalog.methods(task):
        return "", spec
    if not re.fullmatch(r"[A-Za-z][\w-]*", name):
        raise UsageError("a name that cannot stand in a table", got=name, wanted="letters, digits, - and _")
    return name, method


def _named_once(asked: Sequence[Method], settings: Settings) -> None:
    names = [m.name for m in asked]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice or not names:
        raise UsageError("every method once", got=", ".join(twice) or "no method", wanted="--methods a,b,c")
    fields = {k.name for m in asked if is_dataclass(m.object) for k in knobs(type(m.object))}
    own = {f"{m.name}.{k.name}" for m in asked if is_dataclass(m.object) for k in knobs(type(m.object))}
    for name in settings.values:
        if name not in fields | own:
            raise RecipeError(f"no method here has a field {name!r}", remedy=nearest(name, fields | own))


def _on_split(asked: Sequence[Method], cases: Cases, *, split: str, options: Studying) -> Comparison:
    test = chosen(cases, split)
    known_to_train(cases, test, by=[m.object for m in asked])
    _guarded(asked, test)
    ready, taken = _learnt(asked, cases, options=options)
    # What is best is decided here, before any answer on the split of the table exists.
    best = _best_on_val(ready, cases, options=options) if split != "val" else None
    scores, problems = _scored(ready, test, split=split, options=options)
    return _compared(
        ready, cases, scores=scores, options=options, split=split, best=best, taken=taken, problems=problems
    )


def _guarded(asked: Sequence[Method], cases: Cases) -> None:
    for one in asked:
        unseen(cases, one.fingerprint, name=one.name)
        known_classes(cases, classes_of(one), name=one.name)


def _learnt(asked: Sequence[Method], cases: Cases, *, options: Studying) -> tuple[list[Method], dict[str, Taken]]:
    budget = Budget(minutes_of(options.get("time")))
    ready, taken = [], {}
    for one in asked:
        if not one.answers and "train" not in cases.splits:
            sides(one, cases)
        learnt, took = study(one, cases, options=options, budget=budget) if "train" in cases.splits else (one, Taken())
        ready.append(learnt)
        taken[one.name] = took
    return ready, taken


def _best_on_val(ready: Sequence[Method], cases: Cases, *, options: Studying) -> str | None:
    if "val" not in cases.splits or len(ready) < 2:
        return None
    scores, _ = _scored(ready, cases.split("val"), split="val", options=options)
    return best_of(scores)


def _scored(
    ready: Sequence[Method], cases: Cases, *, split: str, options: Studying
) -> tuple[dict[str, Scores], tuple[Problem, ...]]:
    """Every method on the cases that all of them could be asked about; a case that one refuses leaves the table."""
    answered = {m.name: answer_all(m, cases, report=reporter(options), what=f"{m.name} on {split}") for m in ready}
    return _summed(ready, answered, cases=cases, split=split, options=options)


def _summed(
    ready: Sequence[Method], answered: Mapping[str, Answered], *, cases: Cases, split: str, options: Studying
) -> tuple[dict[str, Scores], tuple[Problem, ...]]:
    problems = tuple(dict.fromkeys(p for a in answered.values() for p in a.problems))
    shared = set.intersection(*({c.case for c in a.scores} for a in answered.values()))
    if not shared:
        raise first_refusal(problems, len(cases))
    kept = {n: replace(a, scores=tuple(c for c in a.scores if c.case in shared)) for n, a in answered.items()}
    scores = {
        m.name: summary(m, kept[m.name], cases=cases, split=split, abstain="wrong", seed=options.get("seed", 0),
                        threads=threads_of(options))
        for m in ready
    }
    return scores, problems


def _over_folds(asked: Sequence[Method], cases: Cases, *, options: Studying) -> Comparison:
    """Every case answered once, by methods that had not seen its group; the best is chosen inside each fold."""
    k = options.get("folds") or 0
    _guarded(asked, cases)
    pooled: dict[str, Answered] = {}
    winners = []
    fitted = {m.name: m for m in asked}
    taken = dict.fromkeys(fitted, Taken(0.0, None))
    for i, fold in enumerate(folds_of(cases, k, seed=options.get("seed", 0))):
        ready, took = _learnt(asked, fold, options=options)
        winners.append(_best_inside(asked, ready, fold, options=options) or asked[0].name)
        fitted |= {m.name: m for m in ready}
        taken = {n: Taken((t.seconds or 0) + (took[n].seconds or 0), took[n].peak_mb) for n, t in taken.items()}
        _pool(pooled, ready, fold.split("test"), winner=winners[-1], what=f"fold {i + 1}", options=options)
    if CHOSEN in pooled:
        fitted[CHOSEN] = replace(fitted[winners[-1]], name=CHOSEN)
    # The engine that answered is known to the fitted method alone.
    scores, problems = _summed(list(fitted.values()), pooled, cases=cases, split=named(k), options=options)
    best = max(fitted, key=winners.count)
    how = f"in {options['inner']} folds of the rest" if options.get("inner") else "on val"
    won = ", ".join(f"{m.name} {winners.count(m.name)} of {len(winners)}" for m in asked)
    note = f"chosen {how} inside each fold: {won}"
    made = _compared(
        list(fitted.values()), cases, scores=scores, options=options, split=named(k), best=best, taken=taken,
        problems=problems,
    )  # fmt: skip
    return replace(made, notes=(note,))


def _pool(
    pooled: dict[str, Answered], ready: Sequence[Method], cases: Cases, *,
    what: str, options: Studying, winner: str = "",
) -> None:  # fmt: skip
    """Adds each method's answers on one fold; those of the method chosen for the fold also stand as `CHOSEN`."""
    for m in ready:
        a = answer_all(m, cases, report=reporter(options), what=f"{m.name} on {what}")
        also = (CHOSEN,) if m.name == winner and options.get("inner") and len(ready) > 1 else ()
        for name in (m.name, *also):
            p = pooled.get(name, Answered((), (), 0.0))
            pooled[name] = Answered((*p.scores, *a.scores), (*p.problems, *a.problems), p.seconds + a.seconds)


def _best_inside(asked: Sequence[Method], ready: Sequence[Method], fold: Cases, *, options: Studying) -> str | None:
    """Who leads on val of one fold or, in nested folds, over all that is not its test part."""
    if not options.get("inner") or len(asked) < 2:
        return _best_on_val(ready, fold, options=options)
    rest = fold.subset([i for i, e in enumerate(fold.entries) if e.split != "test"])
    pooled: dict[str, Answered] = {}
    for i, inner in enumerate(folds_of(rest, options["inner"], seed=options.get("seed", 0))):
        learnt, _ = _learnt(asked, inner, options=options)
        _pool(pooled, learnt, inner.split("test"), what=f"inner fold {i + 1}", options=options)
    return best_of(_summed(learnt, pooled, cases=rest, split=named(options["inner"]), options=options)[0])


def _compared(
    asked: Sequence[Method], cases: Cases, *, scores: Mapping[str, Scores], options: Studying, **more: Any
) -> Comparison:
    from isocenter.metrics import compare as paired

    task = asked[0].task
    tests = paired(catalog.task(task), list(scores.values()), positive=cases.positive, seed=options.get("seed", 0))
    ready = {m.name: m for m in asked}
    return Comparison(task, cases.name, methods=scores, tests=tests, predictors=ready, **more)


def _reported(made: Comparison, cases: Cases, *, folder: Path, given: Mapping[str, Any]) -> Comparison:
    from isocenter.report import write_report
    from isocenter.verbs._report import comparison_run

    test = chosen(cases, made.split) if made.split in cases.splits else cases
    run = comparison_run(made, cases=cases, test=test, command=given.get("command", ""))
    made = replace(made, report=write_report(run, folder, overwrite=given.get("overwrite", False)))
    keep(run, given, made=made, cases=cases, methods=list(made.predictors.values()), folder=folder)
    return made
