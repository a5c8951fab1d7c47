"""The array type that annotations share."""

from __future__ import annotations

import numpy as np

from isocenter.ops.array import Array


def doubled(values: Array) -> Array:
    return 2 * values


def test_it_annotates_arrays_of_any_type() -> None:
    for kind in ("uint8", "int16", "float32", "bool"):
        assert np.array_equal(doubled(np.ones(3, kind)), 2 * np.ones(3, kind))
    assert Array.__origin__ is np.ndarray
