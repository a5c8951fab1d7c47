"""Discretisation against its definition and against numpy's histogram."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.errors import InputError
from isocenter.ops.grey_levels import fixed_bin_number, fixed_bin_width


@pytest.mark.parametrize("bins", [1, 2, 7, 64])
def test_a_fixed_number_of_bins_is_a_histogram(bins: int) -> None:
    values = np.random.default_rng(0).gamma(2.0, 30.0, 500)
    found = fixed_bin_number(values, bins)
    assert np.array_equal(np.bincount(found, minlength=bins + 1)[1:], np.histogram(values, bins)[0])
    assert np.array_equal(found, fixed_bin_number(3 * values - 7, bins)), "gain and offset change nothing"


def test_equal_values_are_one_level() -> None:
    assert fixed_bin_number(np.full((2, 3), -4.0), 32).tolist() == [[1, 1, 1], [1, 1, 1]]


def test_a_fixed_width_keeps_its_edges_from_region_to_region() -> None:
    values = np.array([-30.0, -25.0, -0.1, 0.0, 24.9, 25.0])
    assert fixed_bin_width(values, 25.0).tolist() == [1, 2, 2, 3, 3, 4]
    # Another region of the same image: the same edges, counted from its own lowest.
    assert fixed_bin_width(values[2:], 25.0).tolist() == [1, 2, 2, 3]
    assert fixed_bin_width(values, 25.0, origin=-1000.0).tolist() == [39, 40, 40, 41, 41, 42]


def test_what_cannot_be_levels_is_refused() -> None:
    with pytest.raises(InputError, match="below the first grey level"):
        fixed_bin_width(np.array([-1001.0, 0.0]), 25.0, origin=-1000.0)
    with pytest.raises(InputError, match="wider bins"):
        fixed_bin_width(np.array([0.0, 1e6]), 1.0)
