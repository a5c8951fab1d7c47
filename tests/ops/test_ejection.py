"""Ejection fractions by hand, and those of cavities drawn by experts."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from isocenter.errors import InputError
from isocenter.ops.ejection import ejection


def test_the_largest_and_the_smallest_frame() -> None:
    found = ejection(np.array([100.0, 140, 140, 70, 70, 90]))
    assert (found.largest, found.smallest, found.high, found.low) == (1, 3, 140, 70)
    assert found.fraction == pytest.approx(0.5)
    assert ejection(np.array([5, 5])).fraction == 0 and ejection(np.array([5, 0])).fraction == 1


def test_a_unit_changes_nothing() -> None:
    sizes = np.array([3.0, 8, 5, 2])
    assert ejection(sizes).fraction == pytest.approx(ejection(sizes * 1.37).fraction)


@pytest.mark.parametrize("sizes", [[], [4.0], [0.0, 0.0]])
def test_nothing_to_compare(sizes: list[float]) -> None:
    assert ejection(np.array(sizes)) is None


@pytest.mark.parametrize("sizes", [[-1.0, 2.0], [np.nan, 1.0]])
def test_impossible_sizes_are_refused(sizes: list[float]) -> None:
    with pytest.raises(InputError, match="sizes over time"):
        ejection(np.array(sizes))


def test_pairs_of_real_cavities(real_data: Callable[[str], Path]) -> None:
    table = real_data("cardiac-mr-sunnybrook") / "ed_es_pairs.csv"
    with table.open(encoding="utf-8") as file:
        pairs = [(float(r["ed_area_px"]), float(r["es_area_px"])) for r in csv.DictReader(file)]
    fractions = [ejection(np.array(p)).fraction for p in pairs]
    assert len(pairs) == 129 and all(0 <= f < 1 for f in fractions) and 0.2 < np.median(fractions) < 0.6
