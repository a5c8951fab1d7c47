"""Minimum cuts against a flow on the explicit graph."""

from __future__ import annotations

import time
from itertools import product

import numpy as np
import pytest
from scipy import ndimage, sparse
from scipy.sparse.csgraph import maximum_flow

from isocenter.ops.maxflow import cost_of, min_cut


def explicit(source: np.ndarray, sink: np.ndarray, weights: list[np.ndarray]) -> int:
    """The oracle: the same grid as a graph with every edge written out."""
    n = source.size
    index = np.arange(n).reshape(source.shape)
    rows, cols, room = [np.full(n, n), index.ravel()], [index.ravel(), np.full(n, n + 1)], [source, sink]
    for axis, weight in enumerate(weights):
        along = np.moveaxis(index, axis, 0)
        for a, b in ((along[:-1], along[1:]), (along[1:], along[:-1])):
            rows.append(a.ravel())
            cols.append(b.ravel())
            room.append(np.moveaxis(weight, axis, 0)[:-1])
    flat = np.concatenate([r.ravel() for r in room]).astype(np.int32)
    graph = sparse.csr_matrix((flat, (np.concatenate(rows), np.concatenate(cols))), shape=(n + 2, n + 2))
    return int(maximum_flow(graph, n, n + 1).flow_value)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (6, 9), (20, 31), (4, 5, 6), (9, 1, 12), (12, 13, 11)])
@pytest.mark.parametrize("seed", range(4))
def test_the_same_energy_as_the_explicit_graph(shape: tuple[int, ...], seed: int) -> None:
    rng = np.random.default_rng(seed)
    source, sink = rng.integers(0, 50, (2, *shape))
    weights = [rng.integers(0, (8, 30, 60, 200)[seed], shape) for _ in shape]
    mask, cost = min_cut(source, sink, weights)
    assert mask.shape == shape and mask.dtype == bool
    assert cost == cost_of(mask, source, sink, weights) == explicit(source, sink, weights)


def test_no_division_of_a_tiny_grid_is_cheaper() -> None:
    rng = np.random.default_rng(7)
    for _ in range(20):
        source, sink = rng.integers(0, 9, (2, 3, 3))
        weights = [rng.integers(0, 9, (3, 3)) for _ in range(2)]
        every = [np.array(bits, bool).reshape(3, 3) for bits in product((False, True), repeat=9)]
        costs = [cost_of(mask, source, sink, weights) for mask in every]
        mask, cost = min_cut(source, sink, weights)
        assert cost == min(costs)
        cheapest = [m for m, c in zip(every, costs, strict=True) if c == cost]
        assert all((mask <= m).all() for m in cheapest), "the smallest source's side"


def test_nothing_to_divide() -> None:
    nothing = np.zeros((3, 4), int)
    mask, cost = min_cut(nothing, nothing, [nothing, nothing])
    assert cost == 0 and not mask.any()
    mask, cost = min_cut(nothing + 5, nothing, [nothing + 3] * 2)
    assert cost == 0 and mask.all()


def test_no_terminal_is_reached_through_a_wall() -> None:
    source, sink = np.zeros((2, 5, 5), int)
    source[2, 2], sink[0, 0] = 100, 100
    weights = [np.full((5, 5), 50), np.full((5, 5), 50)]
    weights[0][1, 1:4] = weights[0][3, 1:4] = weights[1][1:4, 0] = weights[1][1:4, 3] = 1
    mask, cost = min_cut(source, sink, weights)
    assert cost == 10
    assert np.array_equal(np.argwhere(mask), [(y, x) for y in (2, 3) for x in (1, 2, 3)])


def test_a_noisy_picture_of_512_pixels_takes_less_than_a_second() -> None:
    rng = np.random.default_rng(0)
    truth = ndimage.gaussian_filter(rng.normal(size=(512, 512)), 8) > 0
    difference = (truth - 0.5 + rng.normal(size=truth.shape)) * 500
    source, sink = (np.clip(sign * difference, 0, None).astype(np.int32) for sign in (1, -1))
    weights = [np.full(truth.shape, 400, np.int32)] * 2
    min_cut(source[:4, :4], sink[:4, :4], [w[:4, :4] for w in weights])
    start = time.process_time()
    mask, _ = min_cut(source, sink, weights)
    assert time.process_time() - start < 1.0
    assert (mask == truth).mean() > 0.95
