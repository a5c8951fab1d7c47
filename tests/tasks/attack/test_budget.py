"""Budgets, kept to after rounding."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Image
from isocenter.errors import RecipeError
from isocenter.tasks.attack._budget import rounded, unit_of, within

CHANGE = np.random.default_rng(0).normal(0, 3, (1, 20, 20))


@pytest.mark.parametrize("radius", [0.0, 0.7, 1.0, 2.5, 4.0])
@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_whole_numbers_stay_within_the_budget(norm: str, radius: float) -> None:
    limit = radius if norm == "linf" else radius * 20
    start = np.clip(CHANGE, -limit, limit) if norm == "linf" else CHANGE * limit / np.linalg.norm(CHANGE)
    kept = rounded(start, norm=norm, radius=limit, whole=True)
    assert np.array_equal(kept, np.rint(kept))
    size = np.abs(kept).max() if norm == "linf" else np.linalg.norm(kept)
    assert size <= limit * 1.001
    if norm == "l2" and limit > 10:
        assert size > 0.5 * limit, "no more is given away than rounding costs"


def test_other_numbers_stay_as_they_are() -> None:
    assert rounded(CHANGE, norm="linf", radius=1.0, whole=False) is CHANGE


@pytest.mark.parametrize(("epsilon", "norm"), [(2.0, "linf"), (-0.1, "linf"), (-1.0, "l2"), (float("nan"), "linf")])
def test_a_budget_outside_the_range_is_refused_in_its_unit(epsilon: float, norm: str) -> None:
    with pytest.raises(RecipeError, match="epsilon"):
        within(epsilon, norm)
    within(2.0, "l2")


def test_units() -> None:
    assert unit_of(Image.from_array(np.zeros((2, 2), np.uint8))) == "grey levels"
    assert unit_of(Image.from_array(np.zeros((2, 2), np.int16), unit="HU")) == "HU"
    assert unit_of(Image.from_array(np.zeros((2, 2)))) == ""
