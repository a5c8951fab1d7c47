"""Points that lie near each other."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.ops.near import pairs_within


def plainly(a: np.ndarray, b: np.ndarray, reach: float) -> set[tuple[int, int]]:
    distances = np.linalg.norm(a[:, None] - b[None], axis=2)
    return {(int(i), int(j)) for i, j in np.argwhere(distances <= reach)}


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("reach", [0.01, 3.0, 12.0, 500.0])
def test_every_pair_and_no_other(axes: int, reach: float) -> None:
    rng = np.random.default_rng(axes)
    a, b = rng.uniform(-20, 80, (90, axes)), rng.uniform(0, 100, (70, axes))
    rows, columns, distances = pairs_within(a, b, reach)
    assert set(zip(rows.tolist(), columns.tolist(), strict=True)) == plainly(a, b, reach)
    assert len(rows) == len(plainly(a, b, reach)) and (np.diff(rows) >= 0).all()
    assert np.allclose(distances, np.linalg.norm(a[rows] - b[columns], axis=1))


def test_all_in_one_place_and_none_at_all() -> None:
    same = np.zeros((5, 2))
    rows, _, distances = pairs_within(same, same, 1.0)
    assert len(rows) == 25 and not distances.any()
    assert [len(part) for part in pairs_within(np.zeros((0, 2)), same, 1.0)] == [0, 0, 0]
    assert [len(part) for part in pairs_within(same, np.zeros((0, 2)), 1.0)] == [0, 0, 0]


def test_a_pair_at_the_very_distance_counts() -> None:
    a, b = np.array([[0.0, 0.0]]), np.array([[3.0, 4.0], [3.0, 4.001]])
    assert pairs_within(a, b, 5.0)[1].tolist() == [0]


def test_a_small_distance_in_a_wide_field_needs_no_memory() -> None:
    far = np.array([[0.0, 0.0], [1e6, 1e6], [1e6, 1e6 + 0.5]])
    rows, columns, _ = pairs_within(far, far, 1.0)
    assert set(zip(rows.tolist(), columns.tolist(), strict=True)) == {(0, 0), (1, 1), (2, 2), (1, 2), (2, 1)}
