"""Numbers with units."""

from isocenter.data import Value, Values


def test_values() -> None:
    assert Values({"volume": Value(3.0, "ml", 2.5, 3.5)}).items["volume"].unit == "ml"
