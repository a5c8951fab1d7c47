"""Plans are values that a person can read and edit."""

import json

import pytest

from isocenter.data import Normalisation, Plan
from isocenter.errors import RecipeError

PLAN = Plan(
    "segment",
    3,
    1,
    ("background", "a"),
    (1.0, 0.5, 0.5),
    normalisation=Normalisation("window", -100.0, 300.0, 40.0, 80.0),
)


def test_round_trip_through_json() -> None:
    assert Plan.from_json(json.loads(json.dumps(PLAN.as_json()))) == PLAN


def test_a_misspelt_field_is_named() -> None:
    values = PLAN.as_json() | {"overlop": 0.5}
    with pytest.raises(RecipeError, match="Did you mean overlap"):
        Plan.from_json(values)
