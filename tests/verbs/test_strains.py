"""What is done to the cases of a comparison, settled before anything learns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from isocenter.data import Case, Cases, NotEvaluated
from isocenter.errors import NotFoundError, RecipeError, UsageError
from isocenter.verbs._method import resolve
from isocenter.verbs._recipe import Settings
from isocenter.verbs._strains import Strain, amount, strains_of, without


class Bright:
    name = "bright"

    def predict(self, case: Case) -> NotEvaluated:
        return NotEvaluated("never asked")


class Network(Bright):
    name = "net"

    def opened(self) -> None:
        raise AssertionError("nothing is opened yet")


@pytest.fixture
def network() -> Network:
    return Network()


def asked(cases: Cases, *methods: Any, settings: Mapping[str, Any] | None = None, **options: Any) -> tuple[Strain, ...]:
    found = [resolve(m, task=cases.task or "classify") for m in methods]
    return strains_of(found, Settings(dict(settings or {})), options, cases=cases)


def test_budgets_are_numbers_or_fractions() -> None:
    assert amount("2/255") == pytest.approx(2 / 255) and amount(0.5) == 0.5 and amount("0.25") == 0.25
    for text in ("two", "1/0", ""):
        with pytest.raises(UsageError, match="not a budget"):
            amount(text)


def test_what_is_done_is_settled_before_anything_learns(sizes: Cases, network: Any) -> None:
    assert asked(sizes, network) == ()
    (pgd,) = asked(sizes, network, attack="pgd")
    assert pgd.levels == ("1/255", "2/255", "4/255") and pgd.lead == "2/255"
    (own,) = asked(sizes, network, attack="pgd", epsilon=["8/255", "0.001"], settings={"pgd.norm": "l2"})
    assert own.levels == ("0.001", "8/255") and own.lead == "8/255" and own.settings.values == {"norm": "l2"}
    assert asked(sizes, network, attack="pgd", settings={"pgd.norm": "l2"})[0].levels == ("0.5", "1", "2")
    both = asked(sizes, Bright(), corrupt=["noise", "blur"], severity=[5, 1])
    assert [s.name for s in both] == ["noise", "blur"] and both[0].levels == ("1", "5")
    assert len(asked(sizes, Bright(), corrupt=["usual"])) == 5
    options: Any = {"attack": "pgd"}
    assert dict(without(Settings({"pgd.steps": 3, "width": 4}), options).values) == {"width": 4}


def test_what_cannot_be_attacked_is_refused_with_what_would_do(sizes: Cases, network: Any) -> None:
    with pytest.raises(UsageError, match="bright has no gradients") as caught:
        asked(sizes, network, Bright(), attack="pgd")
    assert "--attack square" in caught.value.remedy
    assert asked(sizes, Bright(), attack="square")
    with pytest.raises(UsageError, match="one fitted method"):
        asked(sizes, network, attack="pgd", folds=3)
    with pytest.raises(NotFoundError, match="Did you mean pgd"):
        asked(sizes, network, attack="pdg")
    with pytest.raises(UsageError, match="Did you mean noise"):
        asked(sizes, network, corrupt=["noize"])
    with pytest.raises(UsageError, match="1 to 5"):
        asked(sizes, network, corrupt=["noise"], severity=[0, 9])
    found = replace(resolve(Bright(), task="classify"), task="detect")
    options: Any = {"attack": "square"}
    with pytest.raises(UsageError, match="--corrupt NAME takes every task"):
        strains_of([found], Settings(), options, cases=sizes)


def test_a_budget_outside_the_range_is_refused_in_its_unit(sizes: Cases, network: Any) -> None:
    for budgets in (["2"], ["-1/255"]):
        with pytest.raises(RecipeError, match="two grey levels"):
            asked(sizes, network, attack="pgd", epsilon=budgets)
    assert asked(sizes, network, attack="pgd", epsilon=["2"], settings={"pgd.norm": "l2"})
