from __future__ import annotations

import numpy as np
import pytest

from isocenter.inspect.readout import Readout, joined, plain


def test_a_table_without_rows_keeps_its_columns() -> None:
    empty = Readout.of({"id": np.zeros(0, int), "area_mm2": np.zeros(0)})
    assert empty.header == ("id", "area_mm2") and empty.rows == () and empty.column("id") == []


def test_values_are_plain_and_columns_of_one_length() -> None:
    made = Readout.of({"n": np.arange(2), "x": np.array([0.1 + 0.2, np.inf]), "yes": np.array([True, False])})
    assert made.rows == ({"n": 0, "x": 0.3, "yes": 1}, {"n": 1, "x": None, "yes": 0})
    assert all(type(v) in (int, float, type(None)) for row in made.rows for v in row.values())
    assert made.column("x") == [0.3] and made.column("absent") == []
    with pytest.raises(ValueError, match="zip"):
        Readout.of({"a": [1], "b": []})


def test_tables_below_each_other_say_where_they_come_from() -> None:
    one, two = Readout.of({"id": [1]}), Readout.of({"id": [1], "score": [0.5]})
    both = joined([({"case": "a", "frame": np.int64(0)}, one), ({"case": "b", "frame": 1}, two)])
    assert both.header == ("case", "frame", "id", "score")
    assert both.rows == ({"case": "a", "frame": 0, "id": 1}, {"case": "b", "frame": 1, "id": 1, "score": 0.5})
    assert joined([]).header == ()


def test_text_and_nothing_stay() -> None:
    assert plain("=1") == "=1" and plain(None) is None and plain(True) == 1
