"""Shapley values: what each fact of a case (age, a lab value) added to the answer; takes any predictor over facts."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from isocenter.data import Case, NotEvaluated, knob
from isocenter.data.findings.contributions import Contributions
from isocenter.errors import NotFoundError, RecipeError, nearest
from isocenter.metrics.asked import Asked, asked

# Facts up to which every combination is asked.
EXACT = 10
Worth = Callable[[frozenset[str]], float]


@dataclass(frozen=True)
class Shapley:
    """The answer shared out over the facts, each getting its mean gain over all orders in which they become known.

    Up to 10 facts every combination is asked and the shares are exact; above, random orders and their reverses are, and
    each share has a standard error. A fact that is not known yet is missing, or takes the values of `background` in
    turn. Facts that go together share what they say: a share is no effect of the fact on the patient.

    Sources: Shapley 1953; Strumbelj, Kononenko, Knowl. Inf. Syst. 41 (2014) 647; Lundberg, Lee, NeurIPS 2017.

    Raises
    ------
    RecipeError
        `of` is missing or does not answer.
    """

    of: Any = knob(None, "the method to explain: a bundle, or any other that answers from facts")
    target: str | None = knob(None, "class to explain, or `not CLASS`; None: the answer's own")
    facts: tuple[str, ...] = knob((), "facts to share it out over; none: all that the case has")
    background: tuple[Any, ...] = knob(
        (), 'what stands for an unknown fact, averaged: [{"age": 61, "crp": 8}, ...]; none: the fact is missing'
    )
    orders: int = knob(200, "random orders, each also in reverse, where facts are more than 10", low=2, high=100_000)

    def __post_init__(self) -> None:
        if not hasattr(self.of, "predict"):
            raise RecipeError("shapley explains another method", wanted="of=", remedy="Name a bundle, or TASK/METHOD")
        if not all(isinstance(b, Mapping) for b in self.background):
            raise RecipeError("a background is a list of facts", got=str(self.background)[:80],
                              wanted='[{"age": 61}, ...]')

    def predict(self, case: Case) -> Contributions | NotEvaluated:
        """The shares; NotEvaluated where the case has no facts, or there is no answer.

        Raises
        ------
        NotFoundError
            The case has no such fact, or a background lacks one, or the answer knows no such class.
        """
        names = self._names(case)
        if not names:
            return NotEvaluated("the case has no facts, so there is nothing to share the answer out over")
        question = asked(self.of, case, self.target)
        if isinstance(question, NotEvaluated):
            return question
        worth = self._worth(question, case, names)
        shares, errors = exact(names, worth) if len(names) <= EXACT else sampled(names, worth, orders=self.orders)
        return Contributions(shares, question.target, worth(frozenset()), worth(frozenset(names)), "shapley", errors)

    def _names(self, case: Case) -> tuple[str, ...]:
        names = self.facts or tuple(name for name, value in case.facts.items() if value is not None)
        for name in names:
            if name not in case.facts:
                raise NotFoundError(f"the case has no fact {name!r}", where=case.id, remedy=nearest(name, case.facts))
            lacking = next((i for i, b in enumerate(self.background) if name not in b), None)
            if lacking is not None:
                raise NotFoundError(f"the background has no fact {name!r}", where=f"background {lacking + 1}")
        return names

    def _worth(self, question: Asked, case: Case, names: tuple[str, ...]) -> Worth:
        """The mean answer when only some facts are known; each combination is asked once."""
        others: tuple[Mapping[str, Any], ...] = self.background or (dict.fromkeys(names),)
        known: dict[frozenset[str], float] = {}

        def worth(some: frozenset[str]) -> float:
            if some not in known:
                answers = [
                    question.answer(replace(case, facts={**case.facts, **{n: b[n] for n in names if n not in some}}))
                    for b in others
                ]
                known[some] = float(np.mean(answers))
            return known[some]

        return worth


def exact(names: tuple[str, ...], worth: Worth) -> tuple[dict[str, float], dict[str, float]]:
    """Shares by all 2^n combinations of n facts, and no errors."""
    n = len(names)
    shares = dict.fromkeys(names, 0.0)
    for size in range(n):
        weight = math.factorial(size) * math.factorial(n - size - 1) / math.factorial(n)
        for some in itertools.combinations(names, size):
            before = frozenset(some)
            for name in names:
                if name not in before:
                    shares[name] += weight * (worth(before | {name}) - worth(before))
    return shares, {}


def sampled(names: tuple[str, ...], worth: Worth, *, orders: int) -> tuple[dict[str, float], dict[str, float]]:
    """Shares by random orders, each also in reverse, and their standard errors; always the same orders."""
    drawn = np.random.default_rng(0)
    gains = np.zeros((orders, len(names)))
    for row in gains:
        order = drawn.permutation(len(names))
        for way in (order, order[::-1]):
            before: frozenset[str] = frozenset()
            for i in way:
                after = before | {names[i]}
                row[i] += (worth(after) - worth(before)) / 2
                before = after
    means, errors = gains.mean(axis=0), gains.std(axis=0, ddof=1) / math.sqrt(orders)
    return dict(zip(names, map(float, means), strict=True)), dict(zip(names, map(float, errors), strict=True))
