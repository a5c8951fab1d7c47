"""Overlaps decide before distances, and what is left over is a piece or has joined."""

import numpy as np

from isocenter.ops.lesions import linked


def found(shared, before, after, distances=None, reach=5.0):
    shared = np.asarray(shared, float)
    far = np.full(shared.shape, 99.0) if distances is None else np.asarray(distances, float)
    links = linked(shared, np.asarray(before, float), np.asarray(after, float), far, reach=reach)
    return links.same.tolist(), links.pieces.tolist(), links.joined.tolist()


def test_what_overlaps_most_altogether_is_the_same():
    assert found([[5, 4], [0, 4]], [10, 10], [10, 10]) == ([[0, 0], [1, 1]], [], [])
    # Greedily 0 would take 0, and 1 would be left.
    assert found([[6, 5], [6, 0]], [10, 10], [10, 10])[0] == [[0, 1], [1, 0]]


def test_pieces_and_merges():
    assert found([[4, 3]], [10], [5, 4]) == ([[0, 0]], [[0, 1]], [])
    assert found([[4], [3]], [5, 4], [10]) == ([[0, 0]], [], [[1, 0]])


def test_what_lies_only_a_little_in_another_is_no_piece_of_it():
    assert found([[9, 1]], [10], [10, 10]) == ([[0, 0]], [], [])


def test_without_overlap_distance_decides_within_reach():
    assert found(np.zeros((2, 2)), [8, 8], [8, 8], [[2, 3], [3, 9]]) == ([[0, 1], [1, 0]], [], [])
    assert found(np.zeros((1, 1)), [8], [8], [[6]]) == ([], [], [])


def test_another_size_or_another_class_is_another_lesion():
    assert found(np.zeros((1, 1)), [8], [80], [[1]]) == ([], [], [])
    assert found([[8]], [8], [8], [[np.inf]]) == ([], [], [])


def test_nothing_before_or_after():
    for shape in ((0, 0), (2, 0), (0, 3)):
        assert found(np.zeros(shape), np.ones(shape[0]), np.ones(shape[1])) == ([], [], [])


def test_what_overlaps_is_not_taken_by_what_is_near():
    same, pieces, joined = found([[5, 0], [0, 0]], [10, 10], [10, 10], [[3, 1], [1, 4]])
    assert sorted(same) == [[0, 0], [1, 1]]
    assert not pieces and not joined


def test_any_table_against_looking_at_every_assignment():
    from itertools import permutations

    for seed in range(25):
        rng = np.random.default_rng(seed)
        n, m = rng.integers(1, 5, 2)
        before, after = rng.uniform(5, 20, n), rng.uniform(5, 20, m)
        shared = np.where(rng.random((n, m)) < 0.5, rng.uniform(0.2, 0.9, (n, m)), 0) * np.minimum.outer(before, after)
        together = shared / (before[:, None] + after[None] - shared)
        side = max(n, m)
        full = np.zeros((side, side))
        full[:n, :m] = together
        best = max(sum(full[i, p[i]] for i in range(side)) for p in permutations(range(side)))
        same = linked(shared, before, after, np.full((n, m), 99.0), reach=1.0).same
        assert sum(together[i, j] for i, j in same) >= best - 1e-9
        assert len({i for i, _ in same}) == len({j for _, j in same}) == len(same)


def test_every_lesion_has_at_most_one_fate():
    for seed in range(40):
        rng = np.random.default_rng(seed)
        n, m = rng.integers(0, 7, 2)
        before, after = rng.uniform(5, 20, n), rng.uniform(5, 20, m)
        shared = np.where(rng.random((n, m)) < 0.4, rng.random((n, m)), 0) * np.minimum.outer(before, after)
        links = linked(shared, before, after, rng.uniform(0, 20, (n, m)), reach=10.0)
        used_before = [*links.same[:, 0], *links.joined[:, 0]]
        used_after = [*links.same[:, 1], *links.pieces[:, 1]]
        assert len(set(used_before)) == len(used_before) and len(set(used_after)) == len(used_after)
        # What is a piece, or has joined, belongs to a lesion that is matched.
        assert set(links.pieces[:, 0]) <= set(links.same[:, 0])
        assert set(links.joined[:, 1]) <= set(links.same[:, 1])


def test_nothing_farther_than_the_reach_is_matched_by_distance():
    rng = np.random.default_rng(0)
    distances = rng.uniform(0, 20, (30, 30))
    links = linked(np.zeros((30, 30)), np.ones(30), np.ones(30), distances, reach=4.0)
    assert len(links.same) and all(distances[i, j] <= 4.0 for i, j in links.same)
