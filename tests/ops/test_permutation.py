"""What may be exchanged, and the p value's honesty."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.ops.permutation import permutation_p, shuffled


def test_within_groups_that_hold_several_classes() -> None:
    rng = np.random.default_rng(0)
    y = np.eye(2)[[0, 1, 1, 0, 0, 1]]
    groups = np.array([0, 0, 0, 1, 1, 1])
    seen = {tuple(shuffled(y, groups, rng)[:, 1]) for _ in range(200)}
    assert len(seen) == 9, "3 orders of each group"
    assert all(sum(s[:3]) == 2 and sum(s[3:]) == 1 for s in seen)


def test_groups_of_one_class_keep_together() -> None:
    rng = np.random.default_rng(0)
    groups = np.array([0, 0, 0, 1, 2, 2])
    y = np.eye(2)[[0, 0, 0, 1, 1, 1]]
    seen = {tuple(shuffled(y, groups, rng)[:, 1]) for _ in range(200)}
    assert seen == {(0, 0, 0, 1, 1, 1), (1, 1, 1, 0, 1, 1), (1, 1, 1, 1, 0, 0)}


def test_without_groups_it_is_a_plain_shuffle() -> None:
    y = np.eye(2)[np.arange(10) % 2]
    kept = y.copy()
    found = shuffled(y, np.arange(10), np.random.default_rng(1))
    assert found.sum(axis=0).tolist() == [5, 5] and not np.array_equal(found, y)
    assert np.array_equal(y, kept)


def test_p_is_never_zero_and_uniform_when_there_is_nothing() -> None:
    assert permutation_p(1.0, [0.5] * 99) == 0.01
    assert permutation_p(0.5, [0.5] * 99) == 1.0
    rng = np.random.default_rng(0)
    values = [permutation_p(rng.random(), rng.random(19)) for _ in range(2000)]
    assert np.mean(np.asarray(values) <= 0.05) == pytest.approx(0.05, abs=0.015)
