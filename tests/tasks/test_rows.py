"""Plan, rows and scale of what learns from a row of numbers an image."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from isocenter.data import Cases, Image, Progress, Values, Watch
from isocenter.errors import InputError, LabelError
from isocenter.tasks import _rows as t
from isocenter.tasks._features import Features


def test_the_plan_says_axes_and_channels() -> None:
    grey = [Image.from_array(np.full((3, 4, 4), i), axes="cyx") for i in range(2)]
    assert t.plan_of(Cases.from_arrays(grey, [0, 1])).channels == 1
    colour = [*grey, Image.from_array(np.arange(48).reshape(3, 4, 4), axes="cyx")]
    assert t.plan_of(Cases.from_arrays(colour, [0, 1, 1])).channels == 3
    with pytest.raises(InputError, match="slice"):
        t.plan_of(Cases.from_arrays([np.zeros((4, 4)), np.zeros((4, 4, 4))], [0, 1]))


def test_features_that_never_change_and_odd_ones() -> None:
    x = np.column_stack([np.arange(5.0), np.full(5, 3.0)])
    mean, scale = t.moments(x)
    assert scale.tolist() == [pytest.approx(np.sqrt(2)), 1.0]
    seen = t.standardised(np.array([[1e9, 3.0]]), {"mean": mean, "scale": scale})
    assert seen.tolist() == [[t.CUT, 0.0]]


def number(truth: Any) -> list[float] | None:
    return [v.number for v in truth.items.values()] if isinstance(truth, Values) else None


def test_rows_follow_the_cases_and_progress_its_share() -> None:
    images = list(np.random.default_rng(0).normal(size=(4, 8, 8)))
    cases, seen = Cases.from_arrays(images, [3.0, 1.0, 4.0, 1.5], task="regress"), list[Progress]()
    watch = Watch(report=seen.append)
    plan = t.plan_of(cases, "regress")
    x, y = t.rows(cases, plan, Features((4, 4)), of=number, lacking="no number", watch=watch, share=(0.5, 1.0))
    assert plan.task == "regress" and y.tolist() == [[3.0], [1.0], [4.0], [1.5]]
    assert x[2] == pytest.approx(Features((4, 4)).row(cases[2].image(), plan))
    assert [p.share for p in seen] == [0.625, 0.75, 0.875, 1.0]


def test_rows_without_truth_or_without_numbers_are_refused() -> None:
    images = list(np.random.default_rng(0).normal(size=(2, 8, 8)))
    told: dict[str, Any] = {"of": number, "lacking": "no number", "watch": Watch(), "share": (0.0, 1.0)}
    blind = Cases.from_arrays(images)
    with pytest.raises(LabelError, match="no number"):
        t.rows(blind, t.plan_of(blind), Features((4, 4)), **told)
    images[1][0, 0] = np.inf
    bad = Cases.from_arrays(images, [1.0, 2.0], task="regress")
    with pytest.raises(InputError, match="finite"):
        t.rows(bad, t.plan_of(bad), Features((4, 4)), **told)
