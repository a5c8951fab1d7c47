"""Shares of facts: against every order written out, against a linear model, and where the answer is known."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from isocenter.data import Case, NotEvaluated, Probabilities, Value, Values
from isocenter.data.findings.contributions import Contributions
from isocenter.errors import NotFoundError, RecipeError
from isocenter.tasks.explain.shapley import EXACT, Shapley


@dataclass(frozen=True)
class Crossed:
    """A probability in which facts act together; a missing fact counts as 0."""

    asked: list[int] = field(default_factory=list)

    def predict(self, case: Case) -> Probabilities:
        self.asked.append(1)
        x = {k: 0.0 if v is None else float(v) for k, v in case.facts.items()}
        z = 0.8 * x.get("a", 0) - 0.5 * x.get("b", 0) + 0.9 * x.get("a", 0) * x.get("c", 0) + 0.1 * sum(x.values())
        p = 1 / (1 + np.exp(-z))
        return Probabilities(("ill", "well"), (float(p), float(1 - p)))


def case(**facts: Any) -> Case:
    return Case("x", {}, facts=facts)


def by_every_order(of: Any, one: Case, target: str) -> dict[str, float]:
    """The definition: mean gain over all orders."""
    names = list(one.facts)
    orders = list(itertools.permutations(names))
    shares = dict.fromkeys(names, 0.0)
    for order in orders:
        known: dict[str, Any] = dict.fromkeys(names)
        for name in order:
            before = of.predict(Case("x", {}, facts=known)).of(target)
            known = {**known, name: one.facts[name]}
            shares[name] += (of.predict(Case("x", {}, facts=known)).of(target) - before) / len(orders)
    return shares


def test_it_is_the_mean_gain_over_all_orders():
    one = case(a=1.0, b=2.0, c=-1.5, d=0.3)
    found = Shapley(of=Crossed(), target="ill").predict(one)
    assert found.items == pytest.approx(by_every_order(Crossed(), one, "ill"), abs=1e-12)
    assert sum(found.items.values()) == pytest.approx(found.answer - found.base)
    assert found.errors == {} and found.target == "ill" and found.base == 0.5


def test_every_combination_is_asked_once():
    of = Crossed()
    Shapley(of=of, target="ill").predict(case(a=1.0, b=2.0, c=3.0))
    assert len(of.asked) == 1 + 2**3


@dataclass(frozen=True)
class Linear:
    """A number that is a weighted sum, so that the share of a fact is weight times distance from the mean."""

    weights: dict[str, float]

    def predict(self, case: Case) -> Values:
        return Values({"dose": Value(sum(w * case.facts[k] for k, w in self.weights.items()), "mGy")})


def test_of_a_linear_model_the_shares_are_weight_times_distance():
    weights = {"a": 2.0, "b": -1.0, "c": 0.5}
    background = ({"a": 1.0, "b": 0.0, "c": 4.0}, {"a": 3.0, "b": 2.0, "c": 0.0})
    found = Shapley(of=Linear(weights), background=background).predict(case(a=5.0, b=1.0, c=3.0))
    assert found.items == pytest.approx({"a": 2.0 * (5 - 2), "b": 0.0, "c": 0.5 * (3 - 2)})
    assert found.target == "dose" and found.base == pytest.approx(4.0)


def test_many_facts_are_sampled_with_an_error_that_covers_the_truth():
    facts = {f"f{i}": float(i % 3) for i in range(EXACT + 1)} | {"a": 1.0, "c": 1.0}
    found = Shapley(of=Crossed(), target="ill", orders=60).predict(case(**facts))
    assert set(found.errors) == set(facts) and len(facts) > EXACT
    assert sum(found.items.values()) == pytest.approx(found.answer - found.base)
    again = Shapley(of=Crossed(), target="ill", orders=60).predict(case(**facts))
    assert again.items == found.items
    many = Shapley(of=Crossed(), target="ill", orders=1500).predict(case(**facts))
    distance = [abs(found.items[k] - many.items[k]) / (found.errors[k] + 1e-9) for k in ("a", "c", "f2")]
    assert max(distance) < 4
    # Facts that nothing tells apart share alike.
    assert many.items["f1"] == pytest.approx(many.items["f4"], abs=4 * many.errors["f1"] + 1e-3)


def test_some_facts_and_missing_ones():
    one = case(a=1.0, b=None, c=2.0)
    assert set(Shapley(of=Crossed()).predict(one).items) == {"a", "c"}
    only = Shapley(of=Crossed(), facts=("a",)).predict(one)
    assert isinstance(only, Contributions) and set(only.items) == {"a"}


def test_what_is_refused_and_what_has_no_answer():
    with pytest.raises(RecipeError, match="of="):
        Shapley()
    with pytest.raises(RecipeError, match="list of facts"):
        Shapley(of=Crossed(), background=(3,))
    with pytest.raises(NotFoundError, match="Did you mean age"):
        Shapley(of=Crossed(), facts=("agee",)).predict(case(age=3.0))
    with pytest.raises(NotFoundError, match="background 2"):
        Shapley(of=Crossed(), background=({"a": 1.0}, {"b": 1.0})).predict(case(a=1.0))
    assert "no facts" in Shapley(of=Crossed()).predict(case()).reason

    @dataclass(frozen=True)
    class Silent:
        def predict(self, case):
            return NotEvaluated("outside")

    assert Shapley(of=Silent()).predict(case(a=1.0)).reason == "outside"
