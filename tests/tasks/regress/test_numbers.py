"""Plan and table of numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isocenter.data import Cases, Value, Values, silent
from isocenter.tasks._features import Features
from isocenter.tasks.regress import _numbers as t
from isocenter.tasks.regress.mean import Mean

CASES = Cases.from_arrays(np.random.default_rng(0).normal(size=(6, 8, 8)), [1.0, 3.0, 5.0, 7.0, 4.0, 12.0],
                          task="regress", classes=["size"])


def with_units(*units: str) -> Cases:
    def opened(e, unit):
        return lambda: replace(c := e.open(), load_truth=lambda: Values({"size": Value(c.truth().of("size").number,
                                                                                      unit)}))

    return replace(CASES, entries=tuple(
        replace(e, open=opened(e, u)) for e, u in zip(CASES.entries, units, strict=False)))


def test_mean_sd_and_unit_are_those_of_train() -> None:
    plan = t.plan_with(CASES.subset([0, 1, 2, 3]))
    assert plan.settings == {"mean": 4.0, "sd": pytest.approx(np.sqrt(5)), "unit": ""} and plan.classes == ("size",)
    assert t.plan_with(with_units("mm", "mm")).settings["unit"] == "mm"
    assert t.plan_with(with_units("mm", "cm")).settings["unit"] == ""


def test_numbers_are_standardised_by_train() -> None:
    train, valid = CASES.subset([0, 1, 2, 3]), CASES.subset([4, 5])
    table = t.numbered((train, valid), t.plan_with(train), Features((4, 4)), watch=silent)
    assert table.y.tolist() == pytest.approx(np.array([-3, -1, 1, 3]) / np.sqrt(5)) and table.x.shape[0] == 4
    assert table.vy.tolist() == pytest.approx([0.0, 8 / np.sqrt(5)]) and table.vx.shape[0] == 2


def test_how_far_off_is_brought_back_to_the_unit() -> None:
    plan = t.plan_with(CASES.subset([0, 1, 2, 3]))
    made, said = t.reached(plan, np.arange(10.0))
    assert made.settings["reach"] == pytest.approx(9 * np.sqrt(5)) and "10 cases of val" in said
    less, said = t.reached(plan, np.arange(8.0))
    assert "reach" not in less.settings and "val holds 8 cases" in said
    about = t.described(Mean(), plan, np.arange(10.0), more=1)
    assert t.plan_from(about) == made and about["more"] == 1 and about["classes"] == ["size"]
