"""Methods on cases that were attacked or corrupted, beside the same cases as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from isocenter import catalog
from isocenter.data import (
    Case,
    Cases,
    CaseScore,
    Disturbed,
    NotEvaluated,
    Perturbation,
    Problem,
    Progress,
    Score,
    Scores,
    Test,
)
from isocenter.errors import IsocenterError, UsageError
from isocenter.verbs._method import Method
from isocenter.verbs._options import Studying, reporter, threads_of
from isocenter.verbs._recipe import made
from isocenter.verbs._score import Answered, summary
from isocenter.verbs._strains import Strain, amount, needs_gradients

# The attack that needs no gradient asks again where the one asked for failed: cases, and answers for each.
ASKED_AGAIN, QUERIES = 10, 100


class _Kept:
    """A network that is opened once for many cases."""

    def __init__(self, of: Any) -> None:
        self._of = of

    def predict(self, case: Case) -> Any:
        """As the network."""
        return self._of.predict(case)

    @cached_property
    def _inside(self) -> Any:
        return self._of.opened()

    def opened(self) -> Any:
        """As the network, the first time; the same again."""
        return self._inside


@dataclass(frozen=True)
class Outcome:
    """What came of one method under one strain.

    Parameters
    ----------
    scores
        Level to one `CaseScore` a case.
    found
        Level to what an attack found, of the same cases: a `Perturbation`, or `NotEvaluated`.
    problems
        Cases that could not be changed or answered.
    """

    scores: Mapping[str, list[CaseScore]]
    found: Mapping[str, list[Any]]
    problems: tuple[Problem, ...]


def disturbed(
    strains: Sequence[Strain], ready: Mapping[str, Method], clean: Mapping[str, Scores], *, cases: Cases, split: str,
    options: Studying,
) -> tuple[tuple[Disturbed, ...], tuple[Problem, ...], dict[str, dict[str, Perturbation]]]:
    """Every method under every strain, the problems on the way, and what attacks found at their leading level by case.

    Parameters
    ----------
    strains, ready
        What is done, and to whom.
    clean
        Scores on the cases as they are.
    cases, split
        That `clean` is about.
    """
    chosen = _drawn(cases, options.get("at_most"), options.get("seed", 0))
    out: list[Disturbed] = []
    problems: list[Problem] = []
    found: dict[str, dict[str, Perturbation]] = {}
    for strain in strains:
        rows = []
        for name, method in ready.items():
            got = _outcome(method, strain, chosen, options)
            problems += got.problems
            rows.append(_row(method, strain, got, (clean[name], chosen, split), options))
            if strain.attack is not None:
                pairs = zip(got.scores[strain.lead], got.found[strain.lead], strict=True)
                found[f"{name} under {strain.name}"] = {r.case: p for r, p in pairs if isinstance(p, Perturbation)}
        out += _tested(rows, chosen, options.get("seed", 0))
    return tuple(out), tuple(dict.fromkeys(problems)), found


def _drawn(cases: Cases, most: int | None, seed: int) -> Cases:
    if most is None or most >= len(cases):
        return cases
    if most < 1:
        raise UsageError("no case would be left", got=f"at_most={most}", wanted="1 or more")
    places = sorted(np.random.default_rng(seed).permutation(len(cases))[:most].tolist())
    return replace(cases, entries=tuple(cases.entries[i] for i in places))


def _outcome(method: Method, strain: Strain, cases: Cases, options: Studying) -> Outcome:
    from isocenter.infer import limited
    from isocenter.metrics import records

    task = catalog.task(method.task)
    of = _Kept(method.object) if hasattr(method.object, "opened") else method.object
    scores: dict[str, list[CaseScore]] = {level: [] for level in strain.levels}
    found: dict[str, list[Any]] = {level: [] for level in strain.levels}
    problems = []
    for i, entry in enumerate(cases.entries):
        try:
            with limited(threads_of(options)):
                case = entry.open()
                answers = dict(_answers(of, strain, case, options.get("seed", 0)))
            truth, group = case.truth(), cases.groups[i].lstrip("\0")
            rows = {}
            for level, answer in answers.items():
                after = answer.after if isinstance(answer, Perturbation) else answer
                note = after.line() if isinstance(after, NotEvaluated) else ""
                rows[level] = CaseScore(case.id, group, records(task, after, truth), note)
        except IsocenterError as error:
            problems.append(Problem.of(error, entry.id))
            continue
        for level, row in rows.items():
            scores[level].append(row)
            found[level].append(answers[level])
        reporter(options)(Progress(f"{method.name} under {strain.name}", (i + 1) / len(cases)))
    return Outcome(scores, found, tuple(problems))


def _answers(of: Any, strain: Strain, case: Case, seed: int) -> Iterator[tuple[str, Any]]:
    """Level to the answer about the changed case: a `Perturbation`, or what the method said."""
    if strain.attack is None:
        from isocenter.inspect.worsening import worsened

        for level in strain.levels:
            yield level, of.predict(worsened(case, strain.name, int(level), seed=seed))
        return
    last: Any = None
    if "epsilon" not in {f.name for f in strain.attack.__dataclass_fields__.values()}:
        last = _found(_attack(strain, of), of, case, strain.name)
        for level, budget in zip(strain.levels, strain.amounts, strict=True):
            yield level, _within(last, budget)
        return
    for level, budget in zip(strain.levels, strain.amounts, strict=True):
        # A change that a smaller budget allows, a larger one allows too.
        held = isinstance(last, Perturbation) and last.altered and type(last.after).__name__ == "Probabilities"
        last = replace(last, epsilon=budget) if held else _found(_attack(strain, of, budget), of, case, strain.name)
        yield level, last


def _found(attack: Any, of: Any, case: Case, name: str) -> Any:
    """What an attack finds; where it finds nothing, the answer as it stands, unchanged."""
    found = attack.predict(case)
    answer = of.predict(case) if isinstance(found, NotEvaluated) else None
    if answer is None or isinstance(answer, NotEvaluated):
        return found
    truth, image = case.truth(), case.image()
    aim: Any = truth if isinstance(truth, type(answer)) else answer
    none = np.zeros((1, *image.geometry.shape), np.float32)
    return Perturbation(none, image.geometry, answer, answer, aim, name, checks={"wrong_before": 1.0})


def _attack(strain: Strain, of: Any, epsilon: float | None = None) -> Any:
    own = strain.settings if epsilon is None else strain.settings.over({"epsilon": epsilon}, "--epsilon")
    return made(strain.attack, own, part=lambda use, more: None, fixed={"of": of})


def _within(found: Any, budget: float) -> Any:
    """The smallest change where the budget allows it, else no change."""
    if not isinstance(found, Perturbation) or found.size <= budget:
        return found
    return replace(found, values=np.zeros_like(found.values), after=found.before, epsilon=budget)


def _row(
    method: Method, strain: Strain, got: Outcome, about: tuple[Scores, Cases, str], options: Studying
) -> Disturbed:
    from isocenter.metrics.attack import masking, undone_by_rounding

    clean, cases, split = about
    answered = {c.case for c in got.scores[strain.lead]}
    if not answered:
        raise UsageError(f"no case could be changed for {method.name}", got=got.problems[0].line())
    kept = [c for c in clean.cases if c.case in answered]
    whole = _scored(method, kept, cases, split, options)
    levels = {level: _scored(method, rows, cases, split, options) for level, rows in got.scores.items()}
    task = catalog.task(method.task)
    key = task.metrics[0]
    flags: tuple[str, ...] = ()
    notes: list[str] = []
    if strain.attack is not None:
        key = "dice" if method.task == "segment" else "accuracy"
        levels = {k: _robust(s, got.found[k], got.scores[k], f"robust_{key}") for k, s in levels.items()}
        lead = {r.case: p for r, p in zip(got.scores[strain.lead], got.found[strain.lead], strict=True)}
        tried = [p for p in lead.values() if isinstance(p, Perturbation)]
        flags = masking(tried, black_box=_asked_again(method, strain, lead, cases, options))
        undone = undone_by_rounding(tried)
        notes += [f"{undone} of {len(lead)} changes at {strain.lead} did not outlive rounding to the stored pixels"
                  ] if undone else []
        levels = {k: _flagged(s, f"robust_{key}", flags) for k, s in levels.items()}
    shown = (f"robust_{key}" if strain.attack is not None else key, key)
    return Disturbed(strain.name, method.name, whole, levels, strain.amounts, strain.lead, shown, flags=flags,
                     notes=tuple(notes))


def _scored(method: Method, rows: Sequence[CaseScore], cases: Cases, split: str, options: Studying) -> Scores:
    return summary(method, Answered(tuple(rows), (), 0.0), cases=cases, split=split, abstain="wrong",
                   seed=options.get("seed", 0), threads=threads_of(options))


def _robust(scores: Scores, found: Sequence[Any], rows: Sequence[CaseScore], key: str) -> Scores:
    """The scores with the metric of the task attack beside them."""
    from isocenter.metrics import records, summarise

    task = replace(catalog.task("attack"), metrics=(key,))
    own = [replace(r, records=records(task, p)) for r, p in zip(rows, found, strict=True)]
    more = summarise(task, own, method=scores.method, split=scores.split).metrics
    return replace(scores, metrics={**scores.metrics, **more})


def _flagged(scores: Scores, key: str, flags: tuple[str, ...]) -> Scores:
    if key not in scores.metrics or not flags:
        return scores
    marked: dict[str, Score] = {t: replace(s, flags=(*s.flags, *flags)) for t, s in scores.metrics[key].items()}
    return replace(scores, metrics={**scores.metrics, key: marked})


def _asked_again(
    method: Method, strain: Strain, lead: Mapping[str, Any], cases: Cases, options: Studying
) -> list[Perturbation]:
    """What an attack without gradients finds on cases that withstood one with gradients."""
    if not needs_gradients(strain.attack) or method.task != "classify":
        return []
    square = catalog.find("attack", "square")
    budget = amount(strain.lead)
    out = []
    for entry in cases.entries:
        found = lead.get(entry.id)
        if not isinstance(found, Perturbation) or found.norm != "linf" or found.epsilon is None:
            continue
        if found.altered or found.checks.get("wrong_before"):
            continue
        again = square(of=method.object, epsilon=budget, queries=QUERIES).predict(entry.open())
        out += [again] if isinstance(again, Perturbation) else []
        reporter(options)(Progress(f"{method.name} under square", len(out) / ASKED_AGAIN))
        if len(out) >= ASKED_AGAIN:
            break
    return out


def _tested(rows: Sequence[Disturbed], cases: Cases, seed: int) -> list[Disturbed]:
    """Each method changed against unchanged, and the methods against each other, at the leading level."""
    from isocenter.metrics import compare

    leads = [replace(r.levels[r.lead], method=f"{r.method} {r.name} {r.lead}") for r in rows]
    task = catalog.task(rows[0].clean.task)
    known = [r.metric[1] for r in rows]

    def paired(scores: Sequence[Scores]) -> tuple[Test, ...]:
        found = [replace(s, metrics={k: v for k, v in s.metrics.items() if k in task.metrics}) for s in scores]
        shared = set.intersection(*({c.case for c in s.cases} for s in found))
        found = [replace(s, cases=tuple(c for c in s.cases if c.case in shared)) for s in found]
        return compare(task, found, positive=cases.positive, metrics=known[:1], seed=seed)

    across = paired(leads) if len(leads) > 1 else ()
    return [
        replace(r, tests=(*paired([lead, r.clean]), *(t for t in across if lead.method in (t.a, t.b))))
        for r, lead in zip(rows, leads, strict=True)
    ]
