"""Matching against every possible assignment, and the greedy rules one by one."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from isocenter.ops.matching import FALSE, OUT, TRUE, assigned, greedy, partners

HALF = np.array([0.5])


def test_the_surest_answer_takes_the_best_free_truth() -> None:
    ious = np.array([[0.6, 0.7], [0.1, 0.9], [0.55, 0.2], [0.8, 0.8]])
    assert greedy(ious, HALF).tolist() == [[TRUE, FALSE, TRUE, FALSE]]
    assert greedy(ious, np.array([0.5, 0.65, 0.75])).tolist() == [
        [TRUE, FALSE, TRUE, FALSE], [TRUE, FALSE, FALSE, TRUE], [FALSE, TRUE, FALSE, TRUE],
    ]


def test_a_tie_goes_to_the_later_truth_and_one_is_met() -> None:
    ious = np.array([[0.6, 0.6], [0.6, 0.0]])
    assert greedy(ious, HALF).tolist() == [[TRUE, TRUE]]
    assert greedy(np.array([[1.0]]), np.array([1.0])).tolist() == [[TRUE]]
    assert greedy(np.array([[0.5]]), HALF).tolist() == [[TRUE]]


def test_an_answer_on_an_ignored_truth_is_out_unless_it_finds_a_real_one() -> None:
    ious = np.array([[0.7], [0.7], [0.2]])
    assert greedy(ious, HALF, aside=np.array([0.9, 0.9, 0.4])).tolist() == [[TRUE, OUT, FALSE]]


@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 3), (3, 0)])
def test_nothing_to_match(n: int, m: int) -> None:
    assert greedy(np.zeros((n, m)), np.array([0.5, 0.9])).tolist() == [[FALSE] * n] * 2
    assert assigned(np.zeros(0, int), np.zeros(0, int), np.zeros(0)).tolist() == []


def plain_greedy(ious: np.ndarray, limit: float) -> list[int]:
    taken: set[int] = set()
    out = []
    for row in ious:
        free = [j for j in range(len(row)) if j not in taken and row[j] >= limit]
        best = max(free, key=lambda j: (row[j], j), default=None)
        taken |= {best} if best is not None else set()
        out.append(TRUE if best is not None else FALSE)
    return out


@pytest.mark.parametrize("seed", range(5))
def test_greedy_equals_a_plain_loop(seed: int) -> None:
    ious = np.round(np.random.default_rng(seed).random((30, 12)), 1)
    limits = np.array([0.2, 0.5, 0.9])
    assert greedy(ious, limits).tolist() == [plain_greedy(ious, t) for t in limits]


def best_of_all(allowed: dict[tuple[int, int], float], n: int, m: int) -> tuple[int, float]:
    best = (0, 0.0)
    columns = [*range(m), *[-1] * n]
    for chosen in set(permutations(columns, n)):
        pairs = [allowed[i, j] for i, j in enumerate(chosen) if (i, j) in allowed]
        best = max(best, (len(pairs), sum(pairs)))
    return best


@pytest.mark.parametrize("seed", range(12))
def test_the_assignment_has_the_most_pairs_and_then_the_most_worth(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, m = 4, 3
    allowed = {(i, j): float(rng.random()) for i in range(n) for j in range(m) if rng.random() < 0.5}
    rows, columns = (np.array([p[k] for p in allowed], int) for k in (0, 1))
    worth = np.array(list(allowed.values()))
    chosen = assigned(rows, columns, worth)
    assert len(set(rows[chosen])) == len(set(columns[chosen])) == len(chosen)
    count, total = best_of_all(allowed, n, m)
    assert len(chosen) == count and worth[chosen].sum() == pytest.approx(total)


def test_two_pairs_beat_one_that_is_better() -> None:
    rows, columns = np.array([0, 0, 1]), np.array([0, 1, 0])
    assert assigned(rows, columns, np.array([1.0, 0.0, 0.0])).tolist() == [1, 2]


def test_partners_are_those_of_the_greedy_choice() -> None:
    rng = np.random.default_rng(3)
    for _ in range(50):
        ious = rng.uniform(0, 1, rng.integers(0, 7, 2))
        found = partners(ious, 0.5)
        kinds = greedy(ious, np.array([0.5]))[0]
        assert np.array_equal(found >= 0, kinds == TRUE)
        taken = found[found >= 0]
        assert len(set(taken)) == len(taken) and all(ious[i, j] >= 0.5 for i, j in enumerate(found) if j >= 0)
