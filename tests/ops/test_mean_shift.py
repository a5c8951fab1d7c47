from __future__ import annotations

import numpy as np
import pytest

from isocenter.ops.mean_shift import mean_shift


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_clouds_are_told_apart(axes: int) -> None:
    rng = np.random.default_rng(0)
    middles = np.array([[0.0, 0, 0], [20, 0, 5], [0, 30, 9]])[:, :axes] + np.arange(3)[:, None] * 40
    points = np.concatenate([rng.normal(m, 2.0, (n, axes)) for m, n in zip(middles, (60, 200, 90), strict=True)])
    truth = np.repeat([0, 1, 2], (60, 200, 90))
    found = mean_shift(points, 8.0)
    assert sorted(set(found)) == [0, 1, 2]
    for k in range(3):
        assert len(set(found[truth == k])) == 1
    assert set(found[truth == 1]) == {0}, "the densest comes first"


def test_touching_discs_are_parted_in_the_middle() -> None:
    y, x = np.mgrid[:40, :70]
    discs = ((y - 20) ** 2 + (x - 20) ** 2 < 196) | ((y - 20) ** 2 + (x - 46) ** 2 < 196)
    at = np.argwhere(discs)
    found = mean_shift(at, 10.0)
    assert len(set(found)) == 2
    assert (found[at[:, 1] < 30] == found[at[:, 1] < 30][0]).all()
    assert abs(np.bincount(found)[0] - np.bincount(found)[1]) < 0.1 * len(at)


def test_few_points_and_none() -> None:
    assert mean_shift(np.zeros((0, 2)), 3.0).tolist() == []
    assert mean_shift(np.array([[4.0, 4.0]]), 3.0).tolist() == [0]
    assert len(set(mean_shift(np.array([[0.0, 0.0], [0.0, 100.0]]), 3.0))) == 2
    assert mean_shift(np.array([[0.0, 0.0], [0.0, 100.0]]), 500.0).tolist() == [0, 0]


def test_the_order_of_points_changes_nothing_but_the_order() -> None:
    rng = np.random.default_rng(1)
    points = np.concatenate((rng.normal(0, 1, (40, 2)), rng.normal(12, 1, (30, 2))))
    order = rng.permutation(70)
    assert np.array_equal(mean_shift(points, 4.0)[order], mean_shift(points[order], 4.0))
