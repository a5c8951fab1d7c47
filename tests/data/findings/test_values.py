"""Numbers with units."""

import pytest

from isocenter.data import Value, Values
from isocenter.errors import LabelError


def test_values() -> None:
    assert Values({"volume": Value(3.0, "ml", 2.5, 3.5)}).items["volume"].unit == "ml"


def test_a_truth_is_one_finite_number() -> None:
    found = Values.truth("age", 63, "years")
    assert found.of("age") == Value(63.0, "years")
    with pytest.raises(LabelError, match="no value 'weight'"):
        found.of("weight")
    with pytest.raises(LabelError, match="can be true"):
        Values.truth("age", float("nan"))
