"""Tiles of a large grid: together everything, each object to one of them."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.ops.tiles import SLACK, tiles, widest

CASES = [
    ((100,), (40,), (5,), ()),
    ((640, 1024), (256, 256), (40.0, 24.0), (32, 32)),
    ((96, 64, 200), (48, 64, 48), (8, 8, 8), (8, 8, 8)),
    ((1000, 72), (64, 64), (16, 16), (8, 8)),
]


def test_what_fits_is_one_tile() -> None:
    (one,) = tiles((40, 64), (64, 64), (8, 8), (8, 8))
    assert one.start == (0, 0) and one.size == (40, 64)
    assert one.holds(np.array([[-50.0, 900.0], [3, 3]])).all()
    array = np.arange(40 * 64).reshape(1, 40, 64)
    assert np.array_equal(one.cut(array), array)


@pytest.mark.parametrize(("shape", "window", "margin", "divisor"), CASES)
def test_tiles_cover_the_grid_and_begin_at_multiples(shape, window, margin, divisor) -> None:
    parts = tiles(shape, window, margin, divisor)
    seen = np.zeros((1, *shape), bool)
    for part in parts:
        view = part.cut(seen)
        assert view.shape[1:] == part.size
        view[:] = True
        assert all(s % d == 0 for s, d in zip(part.start, divisor or (1,) * len(shape), strict=True))
    assert seen.all() and len(parts) > 1


@pytest.mark.parametrize(("shape", "window", "margin", "divisor"), CASES)
def test_every_point_lies_in_one_core_and_its_surroundings_in_the_tile(shape, window, margin, divisor) -> None:
    parts = tiles(shape, window, margin, divisor)
    points = np.random.default_rng(0).uniform(-0.5, np.asarray(shape) - 0.5, (500, len(shape)))
    inner = np.stack([((points >= p.low) & (points < p.high)).all(1) for p in parts])
    assert (inner.sum(0) == 1).all()
    for part, own in zip(parts, inner, strict=True):
        held = points[own]
        near = np.asarray(margin) - 1
        low = np.maximum(held - near, 0) >= np.asarray(part.start)
        high = np.minimum(held + near, np.asarray(shape) - 1) <= np.asarray(part.start) + part.size
        assert low.all() and high.all()


def test_answers_a_little_beyond_the_core_are_taken_too() -> None:
    first, second, *_ = tiles((100,), (40,), (8,))
    seam = first.high[0]
    assert seam == second.low[0] and first.slack == (8 * SLACK,)
    near = np.array([[seam - 1], [seam + 1]])
    assert first.holds(near).all() and second.holds(near).all()
    far = np.array([[seam - 3], [seam + 3]])
    assert first.holds(far).tolist() == [True, False] and second.holds(far).tolist() == [False, True]


def test_a_window_too_small_for_its_objects_is_enlarged() -> None:
    parts = tiles((400,), (16,), (30,), (16,))
    assert parts[0].size == (128,)
    assert parts[1].start[0] + 128 - parts[2].start[0] >= 60


def test_boxes_of_a_tile_are_placed_on_the_grid() -> None:
    part = tiles((100, 100), (40, 40), (5, 5))[4]
    edges = np.array([[[0.5, 1.5], [4.5, 6.5]]])
    assert np.array_equal(part.placed(edges) - edges, np.broadcast_to(part.start, edges.shape))


def test_the_largest_tile_holds_both_margins() -> None:
    assert widest((40, 64), (5, 30), (32, 32)) == (64, 128)
    [whole] = tiles((64, 96), (40, 64), (5, 30), (32, 32))
    assert whole.size == (64, 96), "no larger than the grid"
    assert max(t.size for t in tiles((512, 512), (40, 64), (5, 30), (32, 32))) == (64, 128)
