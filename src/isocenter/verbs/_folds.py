"""Folds: every case is answered by a method that has not seen its group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from isocenter.data import Cases, CaseScore, Problem, Scores
from isocenter.errors import UsageError
from isocenter.verbs._method import Method
from isocenter.verbs._options import Studying, reporter, threads_of
from isocenter.verbs._score import Answered, answer_all, summary
from isocenter.verbs._study import Budget, study


def folds_of(cases: Cases, k: int, *, seed: int) -> Iterator[Cases]:
    """The cases k times over: one fold as test, a part of the others as val, the rest as train; by group.

    Raises
    ------
    UsageError
        Fewer than 2 folds, or more folds than groups.
    """
    from isocenter.inspect import divide

    if not 2 <= k <= cases.n_subjects:
        raise UsageError("a number of folds that cannot be", got=str(k), wanted=f"2 to {cases.n_subjects} (subjects)")
    parts = [e.split for e in divide(cases, folds=k, seed=seed).entries]
    for name in sorted(set(parts)):
        rest = cases.subset([i for i, p in enumerate(parts) if p != name])
        inner = {e.id: e.split for e in divide(rest, test=0.0, val=0.15, seed=seed).entries}
        yield cases.with_splits([inner.get(e.id, "test") for e in cases.entries])


def cross_fitted(asked: Method, cases: Cases, options: Studying, budget: Budget) -> Scores:
    """Scores over all cases but those of test, each answered by a method that had not seen its group."""
    k, seed = options.get("folds", 0), options.get("seed", 0)
    pool = cases.subset([i for i, e in enumerate(cases.entries) if e.split != "test"])
    scores: list[CaseScore] = []
    problems: list[Problem] = []
    seconds = 0.0
    for i, fold in enumerate(folds_of(pool, k, seed=seed)):
        folder = budget.folder / f"fold-{i + 1}" if budget.folder else None
        method, _ = study(asked, fold, options, replace(budget, folder=folder))
        answered = answer_all(method, fold.split("test"), report=reporter(options), what=f"answer fold {i + 1} of {k}")
        scores += answered.scores
        problems += answered.problems
        seconds += answered.seconds
    pooled = Answered(tuple(scores), tuple(problems), seconds)
    return summary(asked, pooled, pool, split=f"{k} folds", abstain="wrong", seed=seed, threads=threads_of(options))
