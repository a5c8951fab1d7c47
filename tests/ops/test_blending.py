"""Pieces become one picture: exact where they agree, without a step where they do not."""

import numpy as np
import pytest

from isocenter.ops.blending import BLENDS, Piece, blended, inside
from isocenter.ops.warping import grid_points


def pieces(whole, starts, size, change=lambda i, v: v):
    out = []
    for i, start in enumerate(starts):
        part = whole[:, *(slice(s, s + n) for s, n in zip(start, size, strict=True))]
        out.append(Piece(start, change(i, part.astype(np.float32)), inside(grid_points(size), size)))
    return out


@pytest.mark.parametrize("how", BLENDS)
@pytest.mark.parametrize("rank", [2, 3])
def test_what_agrees_comes_out_as_it_was(how, rank):
    shape = (20, 30) if rank == 2 else (12, 14, 10)
    whole = np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32) * 50
    starts = [(0, 0), (0, 12), (8, 12)] if rank == 2 else [(0, 0, 0), (4, 2, 0)]
    size = (12, 18) if rank == 2 else (8, 12, 10)
    made, covered = blended(pieces(whole, starts, size), shape, channels=2, how=how)
    expected = np.zeros(shape, bool)
    for start in starts:
        expected[tuple(slice(s, s + n) for s, n in zip(start, size, strict=True))] = True
    assert np.array_equal(covered, expected)
    # Coarse bands of tiles this small differ at their edges by some % of the noise.
    assert (made - whole)[:, covered].std() < (1.0 if how == "bands" else 1e-4)
    assert (made[:, ~covered] == 0).all()


def test_how_far_inside_falls_from_the_middle_to_beyond_the_edge():
    weight = inside(grid_points((9, 5)), (9, 5))
    assert weight[4, 2] == 1
    assert (weight > 0).all()
    assert weight[0, 0] == pytest.approx(1 / 9)
    assert inside(np.array([[-0.51, 2.0], [np.nan, 1.0], [-0.49, 2.0]]), (9, 5))[:2].tolist() == [0, 0]
    assert inside(np.array([[-0.49, 2.0]]), (9, 5))[0] > 0


def step_at(values, column):
    return abs(float(values[15:25, column].mean() - values[15:25, column - 1].mean()))


def test_a_step_of_brightness_is_spread_and_left_alone_without_blending():
    whole = np.full((1, 40, 100), 100.0, np.float32)
    both = pieces(whole, [(0, 0), (0, 40)], (40, 60), lambda i, v: v * (1 + 0.2 * i))
    made = {how: blended(both, (40, 100), channels=1, how=how)[0][0] for how in BLENDS}
    worst = {how: max(step_at(m, c) for c in range(1, 100)) for how, m in made.items()}
    assert worst["none"] == pytest.approx(20, abs=0.1)
    assert worst["feather"] < 2
    assert worst["bands"] < 2


def test_bands_keep_fine_detail_where_tiles_are_a_pixel_off():
    rows = np.arange(120)
    whole = np.broadcast_to(100 + 20 * np.cos(np.pi * rows), (1, 40, 120)).astype(np.float32)
    both = pieces(whole, [(0, 0), (0, 40)], (40, 80), lambda i, v: np.roll(v, i, axis=2))
    middle = {how: blended(both, (40, 120), channels=1, how=how)[0][0, 5:35, 45:75].std() for how in BLENDS}
    assert middle["feather"] < 10
    assert middle["bands"] > 17
