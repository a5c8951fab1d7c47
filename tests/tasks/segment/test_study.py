from __future__ import annotations

import sys

import pytest

from isocenter.data import Watch, merged
from isocenter.errors import MissingExtraError
from isocenter.simulate import cohort
from isocenter.tasks.segment._study import studied
from isocenter.tasks.segment.fcn import FCN

BRIEF = {"study.epochs": 1, "study.steps": 2, "study.batch_size": 2, "width": 4}


def test_the_recipe_becomes_what_answers_and_the_plan_names_its_network() -> None:
    cases = cohort(8, seed=0, shape=(32, 32))
    found = studied(merged(FCN(), BRIEF), cases.split("train"), cases.split("val"), watch=Watch(threads=1))
    assert found.about["network"]["name"] == "fcn"
    assert found.predict(cases[7]).names == ("background", "organ", "lesion")


def test_without_torch_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = cohort(8, seed=0, shape=(32, 32))
    for name in [n for n in sys.modules if n == "isocenter.fit" or n.startswith("isocenter.fit.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match="training a network"):
        studied(FCN(), cases.split("train"), cases.split("val"), watch=Watch())
