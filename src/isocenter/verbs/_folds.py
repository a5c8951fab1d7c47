"""Folds: every case is answered by a method that has not seen its group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from isocenter.data import Cases, CaseScore, Problem, Scores
from isocenter.verbs._method import Method
from isocenter.verbs._options import Studying, reporter, threads_of
from isocenter.verbs._score import Answered, answer_all, summary
from isocenter.verbs._study import Budget, study


def folds_of(cases: Cases, k: int | str, *, seed: int) -> Iterator[Cases]:
    """The cases several times over: one fold as test, a part of the others as val, the rest as train; by group.

    Parameters
    ----------
    k
        Number of folds, or ``"subject"``: each subject once.

    Raises
    ------
    UsageError
        Not a number of folds.
    InputError
        Fewer groups than folds.
    """
    from isocenter.inspect import divide, kfold

    for rest, out in kfold(cases, k, seed=seed):
        inner = divide(rest.with_splits([""] * len(rest)), test=0.0, val=0.15, seed=seed)
        part = {e.id: e.split for e in inner.entries} | {e.id: "test" for e in out.entries}
        yield cases.with_splits([part[e.id] for e in cases.entries])


def cross_fitted(asked: Method, cases: Cases, *, options: Studying, budget: Budget) -> Scores:
    """Scores over all cases but those of test, each answered by a method that had not seen its group."""
    k, seed = options.get("folds") or 0, options.get("seed", 0)
    pool = cases.subset([i for i, e in enumerate(cases.entries) if e.split != "test"])
    scores: list[CaseScore] = []
    problems: list[Problem] = []
    seconds = 0.0
    method = asked
    for i, fold in enumerate(folds_of(pool, k, seed=seed)):
        folder = budget.folder / f"fold-{i + 1}" if budget.folder else None
        method, _ = study(asked, fold, options=options, budget=replace(budget, folder=folder))
        answered = answer_all(method, fold.split("test"), report=reporter(options), what=f"answer fold {i + 1}")
        scores += answered.scores
        problems += answered.problems
        seconds += answered.seconds
    pooled = Answered(tuple(scores), tuple(problems), seconds)
    return summary(method, pooled, cases=pool, split=named(k), abstain="wrong", seed=seed, threads=threads_of(options))


def named(k: int | str) -> str:
    """What tables call the cases of all folds together.

    >>> named(5), named("subject")
    ('5 folds', 'every subject in turn')
    """
    return f"{k} folds" if isinstance(k, int) else f"every {k} in turn"
