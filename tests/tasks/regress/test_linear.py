"""Ridge regression on features of an image."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from isocenter.data import Case, Cases, Image, NotEvaluated, Values
from isocenter.errors import BundleError, InputError, LabelError, RecipeError
from isocenter.tasks.regress.linear import PENALTIES, FittedLinear, Linear


@pytest.fixture(scope="module")
def fitted(discs) -> FittedLinear:
    cases = discs()
    return Linear().fit(cases.split("train"), cases.split("val"))


def off(method: FittedLinear, cases: Cases) -> list[float]:
    return [abs(method.predict(c).of("radius").number - c.truth().of("radius").number) for c in cases]


def test_it_learns_and_its_interval_holds_new_cases(discs, fitted: FittedLinear) -> None:
    new = discs(60, seed=1)
    assert np.mean(off(fitted, new)) < 0.4 < np.std([c.truth().of("radius").number for c in new]) / 3
    found = [fitted.predict(c).of("radius") for c in new]
    held = [v.low <= c.truth().of("radius").number <= v.high for v, c in zip(found, new, strict=True)]
    assert np.mean(held) >= 0.75 and all(v.low < v.number < v.high for v in found)
    assert "split conformal" in fitted.about["said"][0]


def test_the_penalty_is_chosen_on_val_or_said(discs, fitted: FittedLinear) -> None:
    tried = fitted.about["history"]
    assert [t["penalty"] for t in tried] == list(PENALTIES)
    cases = discs()
    best = min(tried, key=lambda t: t["valid_rmse"])
    said = Linear(penalty=best["penalty"]).fit(cases.split("train"), cases.split("val"))
    assert np.allclose(said.arrays["coefficients"], fitted.arrays["coefficients"]) and len(said.about["history"]) == 1
    strong = Linear(penalty=1e9).fit(cases.split("train"), cases.split("val"))
    mean = np.mean([c.truth().of("radius").number for c in cases.split("train")])
    assert strong.predict(cases[0]).of("radius").number == pytest.approx(mean, abs=1e-3)


def test_it_comes_back_from_json_and_arrays(discs, fitted: FittedLinear) -> None:
    again = Linear.from_state(json.loads(json.dumps(fitted.about)), fitted.state())
    assert [again.predict(c) for c in discs(6)] == [fitted.predict(c) for c in discs(6)]


def test_volumes_and_radiomics(discs) -> None:
    cases = discs(24, rank=3, size=12)
    made = Linear(features="radiomics").fit(cases.split("train"), cases.split("val"))
    assert np.mean(off(made, cases.split("val"))) < 0.8


def test_a_small_val_gives_no_interval(discs) -> None:
    cases = discs(24)
    found = Linear(size=4).fit(cases.split("train"), cases.split("val"))
    value = found.predict(cases[0]).of("radius")
    assert value.low is value.high is None and "9 are needed" in found.about["said"][0]


def test_what_cannot_be_learnt_from_is_refused(discs) -> None:
    cases = discs(12)
    same = Cases.from_arrays(np.zeros((4, 8, 8)), [3.0] * 4, task="regress")
    with pytest.raises(LabelError, match="one number"):
        Linear().fit(same, same)
    blind = replace(cases, entries=tuple(cases.without_truth(range(12)).entries))
    with pytest.raises(LabelError, match="one number, or none"):
        Linear().fit(blind, blind)
    with pytest.raises(RecipeError, match=r"before\.spacing"):
        Linear(before=replace(Linear().before, spacing=(1.0, 1.0)))
    with pytest.raises(RecipeError, match="window"):
        Linear(before=replace(Linear().before, intensity="window"))


def test_other_images_and_broken_bundles(fitted: FittedLinear) -> None:
    assert isinstance(fitted.predict(Case.of(Image.from_array(np.full((9, 9), np.inf)))), NotEvaluated)
    with pytest.raises(InputError):
        fitted.predict(Case.of(Image.from_array(np.zeros((3, 9, 9)))))
    with pytest.raises(BundleError, match="do not fit"):
        FittedLinear(fitted.about, {**fitted.arrays, "intercept": np.zeros(2)})
    plan = {**fitted.about["plan"], "settings": {"mean": 1.0, "sd": 0.0}}
    with pytest.raises(BundleError, match="contradicts"):
        FittedLinear({**fitted.about, "plan": plan}, fitted.arrays)
    for about in ({}, {"plan": {"task": "regress"}}):
        with pytest.raises(BundleError, match="cannot be read"):
            FittedLinear(about, fitted.arrays)


def test_units_are_carried_along(discs) -> None:
    cases = discs(12)
    unit = tuple(
        replace(e, open=lambda e=e: replace(
            (c := e.open()), load_truth=lambda c=c: Values.truth("radius", c.truth().of("radius").number, "px")))
        for e in cases.entries
    )
    cases = replace(cases, entries=unit)
    assert Linear(size=4).fit(cases.split("train"), cases.split("val")).predict(cases[0]).of("radius").unit == "px"
