"""The values that pixels may take."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.ops.span import span, stored


@pytest.mark.parametrize(
    ("dtype", "wanted"),
    [("uint8", (0.0, 255.0)), ("int8", (-128.0, 127.0)), ("bool", (0.0, 1.0)), ("uint16", (1.0, 5.0)),
     ("float32", (1.0, 5.0))],
)  # fmt: skip
def test_narrow_types_are_used_whole_and_wide_ones_as_far_as_the_image_goes(dtype: str, wanted: tuple) -> None:
    assert span(np.array([1, 5]).astype(dtype)) == wanted


def test_the_stored_type_wins_over_that_of_the_array() -> None:
    assert span(np.array([1.0, 5.0]), "uint8") == (0.0, 255.0)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
def test_stored_values_come_back_as_they_are(dtype: str) -> None:
    values = np.array([0, 7, 100], dtype)
    back = stored(values.astype(np.float64), dtype, (0, 255))
    assert back.dtype == np.dtype(dtype)
    assert np.array_equal(back, values)


def test_whole_numbers_are_rounded_and_never_leave_the_limits() -> None:
    assert stored(np.array([2.4, 2.6, 1e9]), "int16", (-10.0, 20.0)).tolist() == [2, 3, 20]
    assert stored(np.array([2.4, -99.0]), "float64", (-10.0, 20.0)).tolist() == [2.4, -10.0]
