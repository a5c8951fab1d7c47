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
