"""Networks that measure."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from isocenter.data import Case, Image, NotEvaluated, Watch, knobs, merged
from isocenter.errors import BundleError
from isocenter.tasks._study import NETWORKS
from isocenter.tasks.classify import cnn as classify
from isocenter.tasks.regress._fitted import FittedRegressor
from isocenter.tasks.regress.cnn import Cnn

QUICK = {"study.epochs": 30, "study.batch_size": 10, "study.learning_rate": 0.01, "width": 8}


@pytest.fixture(scope="module")
def answerer(discs) -> FittedRegressor:
    cases = discs()
    return merged(Cnn(), QUICK).fit(cases.split("train"), cases.split("val"), watch=Watch())


def test_it_learns_better_than_the_mean(discs, answerer: FittedRegressor) -> None:
    new = discs(30, seed=1)
    truth = np.array([c.truth().of("radius").number for c in new])
    found = [answerer.predict(c).of("radius") for c in new]
    off = np.abs(np.array([v.number for v in found]) - truth)
    assert off.mean() < 0.6 * np.abs(truth - truth.mean()).mean()
    assert all(v.low < v.number < v.high for v in found) and answerer.plan.settings["reach"] > 0
    assert answerer.about["origins"]["plan.settings.reach"].startswith("val: 90% of 20 cases")


def test_it_comes_back_and_opens(discs, answerer: FittedRegressor) -> None:
    again = Cnn.from_state(answerer.about, answerer.state())
    cases = discs(4)
    assert [again.predict(c) for c in cases] == [answerer.predict(c) for c in cases]
    opened = again.opened()
    with torch.inference_mode():
        out = float(opened.module.eval()(opened.prepare(cases[0]))[0, 0])
    how = again.plan.settings
    assert how["mean"] + how["sd"] * out == pytest.approx(again.predict(cases[0]).of("radius").number, abs=1e-2)


@pytest.mark.parametrize(("network", "rank", "size"), [("googlenet", 2, 32), ("resnet18", 3, 12), ("small", 3, 12)])
def test_named_networks_and_volumes(discs, network: str, rank: int, size: int) -> None:
    cases = discs(12, rank=rank, size=size)
    recipe = merged(Cnn(), QUICK | {"study.epochs": 1, "study.steps": 1, "network": network})
    found = recipe.fit(cases.split("train"), cases.split("val"), watch=Watch()).predict(cases[0]).of("radius")
    assert np.isfinite(found.number) and found.low is None, "4 cases of val are too few for an interval"


def test_networks_are_those_of_classify() -> None:
    assert NETWORKS == classify.NETWORKS
    theirs = {k.name: k.text for k in knobs(classify.Cnn)}
    assert {k.name: k.text for k in knobs(Cnn)}["width"] == theirs["width"]


def test_damage_is_refused(answerer: FittedRegressor) -> None:
    assert isinstance(answerer.predict(Case.of(Image.from_array(np.full((20, 20), np.nan)))), NotEvaluated)
    with pytest.raises(BundleError, match="another question"):
        FittedRegressor({**answerer.about, "plan": {**answerer.plan.as_json(), "task": "classify"}}, answerer.arrays)
    broken = {**answerer.plan.as_json(), "settings": {"mean": 1.0}}
    with pytest.raises(BundleError, match=r"settings\.sd"):
        FittedRegressor({**answerer.about, "plan": broken}, answerer.arrays)
