"""Boxes against plain loops, in 2D and 3D."""

from __future__ import annotations

import math

import numpy as np
import pytest

from isocenter.errors import InputError
from isocenter.ops.boxes import area, centres, clip, covered, iou, nms, shared, soft_nms


def drawn(rng: np.random.Generator, n: int, rank: int, *, size: float = 12.0) -> np.ndarray:
    low = rng.uniform(0, 20, (n, rank))
    return np.stack([low, low + rng.uniform(0.5, size, (n, rank))], axis=1)


def plain_shared(a: np.ndarray, b: np.ndarray) -> float:
    return math.prod(max(0.0, min(a[1][k], b[1][k]) - max(a[0][k], b[0][k])) for k in range(a.shape[1]))


def plain_area(a: np.ndarray) -> float:
    return math.prod(a[1] - a[0])


def plain_iou(a: np.ndarray, b: np.ndarray) -> float:
    both = plain_shared(a, b)
    return both / (plain_area(a) + plain_area(b) - both)


@pytest.mark.parametrize("rank", [2, 3])
def test_overlap_equals_a_plain_loop(rank: int) -> None:
    rng = np.random.default_rng(rank)
    a, b = drawn(rng, 17, rank), drawn(rng, 23, rank)
    for got, wanted in ((iou(a, b), plain_iou), (shared(a, b), plain_shared),
                        (covered(a, b), lambda p, q: plain_shared(p, q) / plain_area(p))):
        np.testing.assert_allclose(got, [[wanted(p, q) for q in b] for p in a], atol=1e-12)
    np.testing.assert_allclose(area(a), [plain_area(p) for p in a])
    np.testing.assert_allclose(centres(a), [[(p[0][k] + p[1][k]) / 2 for k in range(rank)] for p in a])
    assert (np.diag(iou(a, a)) == 1).all()


def test_boxes_that_touch_share_nothing() -> None:
    a = np.array([[[-0.5, -0.5], [3.5, 3.5]]])
    assert iou(a, a + np.array([0.0, 4.0])).tolist() == [[0.0]]
    assert iou(a, a + np.array([0.0, 3.0])).tolist() == [[4 / 28]]


@pytest.mark.parametrize("rank", [2, 3])
def test_no_box_at_all(rank: int) -> None:
    none, one = np.zeros((0, 2, rank)), drawn(np.random.default_rng(0), 1, rank)
    assert iou(none, one).shape == (0, 1) and iou(one, none).shape == (1, 0) and area(none).shape == (0,)
    assert nms(none, np.zeros(0)).tolist() == [] and clip(none, (4,) * rank).shape == none.shape
    assert [x.tolist() for x in soft_nms(none, np.zeros(0))] == [[], []]


def test_boxes_of_another_rank_are_refused() -> None:
    with pytest.raises(InputError, match="do not fit"):
        iou(np.zeros((1, 2, 2)), np.zeros((1, 2, 3)))
    for scores, labels in ((np.zeros(2), None), (np.zeros(1), np.zeros(3, int))):
        for suppress in (nms, soft_nms):
            with pytest.raises(InputError, match="differ in number"):
                suppress(np.array([[[0.0, 0.0], [1.0, 1.0]]]), scores, labels)


def plain_nms(edges: np.ndarray, scores: np.ndarray, labels: np.ndarray | None, limit: float) -> list[int]:
    kept: list[int] = []
    for i in sorted(range(len(edges)), key=lambda i: (-scores[i], i)):
        rivals = [k for k in kept if labels is None or labels[k] == labels[i]]
        if all(plain_iou(edges[k], edges[i]) <= limit for k in rivals):
            kept.append(i)
    return kept


@pytest.mark.parametrize("rank", [2, 3])
@pytest.mark.parametrize("limit", [0.0, 0.3, 0.5, 1.0])
def test_suppression_equals_a_plain_loop(rank: int, limit: float) -> None:
    rng = np.random.default_rng(int(10 * limit) + rank)
    edges = drawn(rng, 80, rank, size=20.0)
    scores = np.round(rng.random(80), 1)
    labels = rng.integers(0, 3, 80)
    for classes in (None, labels):
        got = nms(edges, scores, classes, limit=limit)
        assert got.dtype == np.int64 and got.tolist() == plain_nms(edges, scores, classes, limit)


def test_suppression_leaves_other_classes_alone() -> None:
    edges = np.repeat(np.array([[[0.0, 0.0], [4.0, 4.0]]]), 3, axis=0)
    scores = np.array([0.2, 0.9, 0.5])
    assert nms(edges, scores).tolist() == [1]
    assert nms(edges, scores, np.array([0, 1, 1])).tolist() == [1, 0]


def plain_soft(
    edges: np.ndarray, scores: np.ndarray, labels: np.ndarray, sigma: float, least: float
) -> dict[int, float]:
    left, kept = {i: float(s) for i, s in enumerate(scores)}, {}
    while left:
        top = max(left, key=lambda i: left[i])
        if left[top] < least:
            break
        kept[top] = left.pop(top)
        for i in left:
            if labels[i] == labels[top]:
                left[i] *= math.exp(-plain_iou(edges[top], edges[i]) ** 2 / sigma)
    return kept


@pytest.mark.parametrize("rank", [2, 3])
def test_soft_suppression_equals_a_plain_loop(rank: int) -> None:
    rng = np.random.default_rng(rank)
    edges, scores, labels = drawn(rng, 40, rank, size=20.0), rng.random(40), rng.integers(0, 2, 40)
    for least in (0.001, 0.4):
        at, new = soft_nms(edges, scores, labels, sigma=0.3, least=least)
        wanted = plain_soft(edges, scores, labels, 0.3, least)
        assert at.tolist() == list(wanted)
        np.testing.assert_allclose(new, list(wanted.values()), rtol=1e-12)
        assert (np.diff(new) <= 0).all() and scores.max() == new[0]
    alike = soft_nms(edges, scores, np.zeros(40, int))
    assert [x.tolist() for x in soft_nms(edges, scores)] == [x.tolist() for x in alike]


def test_clipping_keeps_whole_pixels_and_leaves_nothing_of_what_lies_outside() -> None:
    edges = np.array([[[-3.0, 1.5], [2.5, 9.0]], [[20.0, 20.0], [30.0, 30.0]]])
    inside = clip(edges, (5, 7))
    assert inside[0].tolist() == [[-0.5, 1.5], [2.5, 6.5]]
    assert area(inside).tolist() == [15.0, 0.0]
    assert edges[0, 0, 0] == -3.0
