"""A number and its interval from a network's answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from isocenter.data import Image, NotEvaluated, Plan, Value, Values
from isocenter.errors import BundleError
from isocenter.infer import regress
from isocenter.infer.plans import flaws
from isocenter.infer.regressing import measured, needed, reach

PLAN = Plan("regress", 2, 1, ("age",), size=(8, 8), settings={"mean": 50.0, "sd": 10.0, "unit": "years", "reach": 4.0})


def brightness(x: np.ndarray) -> np.ndarray:
    """An engine: the mean of each image."""
    return x.mean(axis=(1, 2, 3), dtype=np.float32)[:, None]


brightness.threads = 1  # type: ignore[attr-defined]


def ask(pixels: Any, plan: Plan = PLAN) -> Values | NotEvaluated:
    engine: Any = brightness
    return regress(engine, Image.from_array(np.asarray(pixels, np.float32)), plan)


def test_a_standardised_answer_is_brought_back_with_its_interval() -> None:
    assert measured(1.5, PLAN) == Values({"age": Value(65.0, "years", 61.0, 69.0)})
    without = replace(PLAN, settings={"mean": 50.0, "sd": 10.0})
    assert measured(-1.0, without) == Values({"age": Value(40.0, "", None, None)})


def test_an_image_is_prepared_as_the_plan_says() -> None:
    plain = replace(PLAN, normalisation=replace(PLAN.normalisation, kind="none"))
    found = ask(np.full((12, 10), 2.0), plain)
    assert isinstance(found, Values) and found.of("age").number == pytest.approx(70.0)
    standardised = ask(np.random.default_rng(0).normal(9, 3, (12, 10)))
    assert isinstance(standardised, Values) and standardised.of("age").number == pytest.approx(50.0, abs=2)


def test_what_is_no_number_is_not_evaluated_and_other_plans_are_refused() -> None:
    assert isinstance(ask(np.full((8, 8), np.nan)), NotEvaluated)
    with pytest.raises(BundleError, match="another question"):
        ask(np.zeros((8, 8)), replace(PLAN, task="classify"))


def test_plans_of_strangers_are_looked_at() -> None:
    assert flaws(PLAN) == []
    for name, bad in (("mean", float("nan")), ("sd", 0.0), ("sd", "ten"), ("reach", -1.0), ("mean", None)):
        assert flaws(replace(PLAN, settings={**PLAN.settings, name: bad})), name
    assert "settings.sd" in flaws(replace(PLAN, settings={"mean": 1.0}))[0]


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.95])
def test_the_interval_holds_as_often_as_asked(level: float) -> None:
    rng = np.random.default_rng(0)
    held = []
    for _ in range(400):
        off = np.abs(rng.standard_t(3, 41))
        far = reach(off[:-1], level=level)
        assert far is not None
        held.append(off[-1] <= far)
    assert abs(np.mean(held) - level) < 0.05


def test_too_few_cases_give_no_interval() -> None:
    for level in (0.5, 0.8, 0.9, 0.95):
        n = needed(level)
        assert reach(np.arange(n, dtype=float), level=level) == n - 1
        assert reach(np.arange(n - 1, dtype=float), level=level) is None
