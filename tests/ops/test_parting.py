"""What speaks for a division."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.ops.parting import BALANCE, SIZED, fell, parted, sized, unlike

NAN = np.nan


def test_a_change_of_size_counts_alike_in_both_directions() -> None:
    one, two = np.array([10.0, 20.0, 10.0, 0.0, NAN]), np.array([20.0, 10.0, 10.0, 5.0, 5.0])
    assert unlike(one, two) == pytest.approx([np.log(2) ** 2, np.log(2) ** 2, 0, 0, 0])


def test_half_of_a_size_is_what_a_daughter_may_have() -> None:
    before = np.array([100.0, 100.0, 100.0, NAN, 0.0, 100.0])
    assert fell(before, np.array([50.0, 95.0, 10.0, 50.0, 0.0, NAN])).tolist() == [True, *[False] * 5]


@pytest.mark.parametrize(
    ("one", "two", "wanted"),
    [(50, 50, True), (65, 40, True), (80, 30, False), (85, 85, False), (25, 25, False), (95, 5, False),
     (50, NAN, False)],
)
def test_sizes_that_speak_by_themselves(one: float, two: float, wanted: bool) -> None:
    assert sized(np.array([100.0]), np.array([one]), np.array([two])).tolist() == [wanted]


def test_where_sizes_speak_the_place_may_speak_less() -> None:
    whole, off = np.full(4, 100.0), np.array([BALANCE, BALANCE + 0.1, SIZED, SIZED + 0.1])
    half, lean = np.full(4, 50.0), np.full(4, 30.0)
    assert parted(whole, half, half, off).tolist() == [True, True, True, False]
    assert parted(whole, np.full(4, 80.0), lean, off).tolist() == [True, False, False, False]
    assert parted(np.full(4, NAN), half, half, off).tolist() == [True, False, False, False]
    assert not parted(whole, np.full(4, 99.0), half, off).any()
