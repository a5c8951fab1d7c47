"""Two images are brought together whatever their grids; the same is found twice."""

from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
from scipy import ndimage

from isocenter.ops import aligning
from isocenter.ops.aligning import (
    COARSEST,
    Space,
    aligned,
    candidates,
    climbed,
    evened,
    followed,
    likeness,
    spacings,
    turned,
)
from isocenter.ops.motions import motion
from isocenter.ops.sides import Side
from isocenter.ops.similarity import BINS, MEASURES


def blobs(seed, shape):
    noise = np.random.default_rng(seed).normal(size=shape)
    return sum(ndimage.gaussian_filter(noise, s) * s ** (len(shape) / 2) for s in (1.5, 3, 5)).astype(np.float32)


def grid(spacing, origin=(0.0, 0, 0), turn=None):
    matrix = np.eye(4)
    matrix[:3, :3] = (np.eye(3) if turn is None else turn) * np.asarray(spacing)
    matrix[:3, 3] = origin
    return matrix


def moved(side, true, matrix, shape):
    """What another grid would show of an image: a point x of it is `true` x there."""
    index = np.stack([*np.indices(shape)[::-1], np.ones(shape)], -1) @ (np.linalg.inv(side.matrix) @ true @ matrix).T
    at = np.moveaxis(index[..., :3][..., ::-1], -1, 0)
    return ndimage.map_coordinates(side.volume, at, order=1, mode="constant", cval=np.nan)


def pair(flat, true, seed=0):
    shape = (1, 90, 100) if flat else (28, 40, 36)
    moving = Side(blobs(seed, shape), grid((1.0, 1.0, 1.0 if flat else 1.5)), flat)
    turn = motion("rigid", np.array([0, 0, 0, 0, 0, 0.2]), np.zeros(3), 1.0)[0][:3, :3]
    other = (1, 80, 84) if flat else (30, 34, 33)
    matrix = grid((1.2, 1.1, 1.0 if flat else 1.3), (2.0, -3, 0 if flat else 1), turn)
    values = moved(moving, true, matrix, other)
    return Side(np.exp(-0.3 * values).astype(np.float32), matrix, flat), moving


def truth(flat, family="rigid", seed=1):
    n = {"rigid": (3, 6), "affine": (6, 12), "translation": (2, 3), "similarity": (4, 7)}[family][0 if flat else 1]
    p = np.random.default_rng(seed).uniform(-1, 1, n) * 6
    return motion(family, p, np.array([45.0, 45, 0] if flat else [18.0, 20, 20]), 30.0)[0]


def apart(a, b, flat):
    probe = np.random.default_rng(0).uniform(5, 30, (50, 3)) * [1, 1, 0 if flat else 1]
    return np.linalg.norm(np.c_[probe, np.ones(50)] @ (a - b).T, axis=1).mean()


@pytest.mark.parametrize("flat", [True, False])
def test_what_surrounds_a_point_tells_two_kinds_of_images(flat):
    true = truth(flat)
    fixed, moving = pair(flat, true)
    found = aligned(fixed, moving, [np.eye(4)], family="rigid", measure="mind", samples=4000, turn=15.0)
    assert apart(found.matrix, true, flat) < 0.5
    assert found.apart < 0.3
    assert -1 <= found.before < found.value <= 1


def test_descriptors_are_brought_together_by_their_differences_at_last(monkeypatch):
    fixed, moving = pair(True, truth(True))
    how = {"family": "rigid", "measure": "mind", "samples": 3000, "turn": 15.0}
    found = aligned(fixed, moving, [np.eye(4)], **how)
    monkeypatch.setattr(aligning, "LAST", {})
    plain = aligned(fixed, moving, [np.eye(4)], **how)
    levels = spacings(fixed, moving)
    like = likeness(fixed, moving, "mind", levels[-1], samples=3000, seed=len(levels) - 1).under(plain.matrix)
    by_squares = [replace(like, measure="squares").of(f.matrix) for f in (found, plain)]
    assert by_squares[0] > by_squares[1]
    assert not np.array_equal(found.matrix, plain.matrix)


def test_points_are_described_along_the_ways_that_a_map_leads():
    moving = pair(False, np.eye(4))[1]
    turn = motion("rigid", np.array([0, 0, 0, 0, 0, np.pi / 2]), np.zeros(3), 1.0)[0]
    shape = moving.volume.shape
    middle = moving.matrix @ [*((np.array(shape[::-1]) - 1) / 2), 1]
    turn[:3, 3] = middle[:3] - turn[:3, :3] @ middle[:3]
    fixed = Side(moved(moving, turn, moving.matrix, shape).astype(np.float32), moving.matrix, False)
    like = likeness(fixed, moving, "mind", 1.5, samples=4000)
    assert like.fixed.shape[0] == 6
    assert like.under(turn).of(turn) > 0.8 > like.of(turn) + 0.2
    plain = likeness(fixed, moving, "mutual", 1.5, samples=4000)
    assert plain.under(turn) is plain


@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize("family", ["translation", "rigid", "similarity", "affine"])
def test_the_map_is_found_whatever_the_grids_and_values(flat, family):
    true = truth(flat, family)
    fixed, moving = pair(flat, true)
    found = aligned(fixed, moving, [np.eye(4)], family=family, measure="mutual", samples=8000, turn=15.0)
    assert apart(found.matrix, true, flat) < 0.5
    assert found.value > found.before
    assert found.apart < 0.15
    assert 0.5 < found.seen <= 1
    back = aligned(moving, fixed, [np.eye(4)], family=family, measure="mutual", samples=8000, turn=15.0)
    assert apart(np.linalg.inv(back.matrix), true, flat) < 0.5


@pytest.mark.parametrize("measure", ["squares", "correlation"])
def test_values_of_one_kind_are_brought_together_by_each_measure(measure):
    true = truth(False)
    moving = pair(False, true)[1]
    fixed = Side(moved(moving, true, moving.matrix, moving.volume.shape).astype(np.float32), moving.matrix, False)
    found = aligned(fixed, moving, [np.eye(4)], family="rigid", measure=measure, samples=8000, turn=15.0)
    assert apart(found.matrix, true, False) < 0.3


def test_two_things_lead_two_halves_to_two_maps():
    fixed, moving = pair(False, np.eye(4))[0], pair(False, np.eye(4), seed=9)[1]
    found = aligned(fixed, moving, [np.eye(4)], family="rigid", measure="mutual", samples=8000, turn=15.0)
    assert found.apart > 0.3


def test_images_that_do_not_meet_and_images_of_nothing_are_none():
    fixed, moving = pair(False, np.eye(4))
    far = Side(fixed.volume, grid((1, 1, 1), (1e4, 0, 0)), False)
    nothing = Side(np.full_like(fixed.volume, np.nan), fixed.matrix, False)
    for side in (far, nothing):
        for both in ((side, moving), (moving, side)):
            with np.errstate(all="ignore"):
                assert aligned(*both, [np.eye(4)], family="rigid", measure="mutual", samples=500, turn=0.0) is None


def test_where_the_start_is_given_nothing_else_is_searched():
    true = truth(True)
    fixed, moving = pair(True, true)
    near = true.copy()
    near[0, 3] += 2
    found = aligned(fixed, moving, [near], family="rigid", measure="mutual", samples=8000, turn=0.0)
    assert apart(found.matrix, true, True) < 0.3


def test_masked_pixels_take_no_part():
    true = truth(True)
    fixed, moving = pair(True, true)
    spoilt = fixed.volume.copy()
    spoilt[0, :30, :30] = np.random.default_rng(0).random((30, 30)) * 1e6
    masked = np.where(spoilt > 1e3, np.nan, spoilt).astype(np.float32)
    found = aligned(Side(masked, fixed.matrix, True), moving, [np.eye(4)], family="rigid", measure="mutual",
                    samples=8000, turn=15.0)
    assert apart(found.matrix, true, True) < 0.5


def test_values_become_places_in_bins():
    values = np.random.default_rng(0).gamma(0.5, size=(10, 20, 20)).astype(np.float32)
    values[0, 0, :3] = np.nan, 1e6, -1e6
    bins = evened(values)
    known = np.isfinite(values)
    assert np.array_equal(np.isfinite(bins), known)
    assert bins[known].min() == 0
    assert bins[known].max() == BINS - 1
    order = np.argsort(values[known])
    assert (np.diff(bins[known][order]) >= -1e-4).all()
    assert np.unique(bins[known].round()).size > 0.8 * BINS
    assert (evened(np.ones((2, 2, 2), np.float32)) == 0).all()
    mostly = np.zeros(1000, np.float32)
    mostly[:2] = 1, 2
    assert evened(mostly).max() == BINS - 1


def test_turns_and_starts_cover_what_is_asked():
    assert len(turned(30, False)) == 125
    assert len(turned(20, True)) == 5
    assert np.degrees(max(v[2] for v in turned(20, True))) == pytest.approx(20)
    assert len(turned(180, True)) == 24
    space = Space(np.array([5.0, 5, 5]), 10.0, False)
    assert len(candidates([np.eye(4)], space, "affine", 15)) == 27 * 7 * 3
    assert len(candidates([np.eye(4)], space, "translation", 15)) == 7
    assert len(candidates([np.eye(4)] * 2, space, "affine", 0)) == 2
    starts = candidates([np.eye(4)], space, "rigid", 15)
    assert len(starts) == 27 * 7
    assert sum(np.array_equal(s, np.eye(4)) for s in starts) == 1
    centre = {tuple((s @ [5, 5, 5, 1])[:3].round(6)) for s in starts}
    assert len(centre) == 7
    assert (8.0, 5.0, 5.0) in centre


def test_grids_go_from_coarse_to_fine():
    fixed, moving = pair(False, np.eye(4))
    steps = spacings(fixed, moving)
    assert all(a == 2 * b for a, b in pairwise(steps))
    assert steps[-1] >= max(fixed.spacing.min(), moving.spacing.min())
    assert steps[0] >= min(fixed.size.max(), moving.size.max()) / COARSEST[1] / 1.01
    tiny = Side(np.zeros((1, 2, 3), np.float32), np.eye(4), True)
    assert spacings(tiny, tiny) == [1.0]


def test_a_climb_never_ends_lower_than_it_began():
    fixed, moving = pair(False, truth(False))
    like = likeness(fixed, moving, "mutual", 4.0, samples=3000)
    space = Space.around(like.points, False)
    value, matrix = climbed(like, np.eye(4), "rigid", space)
    assert value >= like.of(np.eye(4))
    assert value == like.of(matrix)
    far = grid((1, 1, 1), (1e4, 0, 0))
    assert climbed(like, far, "rigid", space) == (-1e3, far)
    assert followed([like, like], [far], "rigid", space) == [[], []]


@pytest.mark.parametrize("measure", list(MEASURES))
def test_slopes_by_the_matrix_are_derivatives(measure):
    fixed, moving = pair(False, truth(False))
    like = likeness(fixed, moving, measure, 3.0, samples=4000)
    # Points that come or go would make steps: only those well inside are moved.
    index = np.c_[like.points, np.ones(len(like.points))] @ like.moving.to_index.T
    size = np.array(like.moving.volume.shape[::-1])
    inside = ((index[:, :3] > 0.5) & (index[:, :3] < size - 1.5)).all(axis=1)
    inner = like.of_points(inside)
    assert inner.seen(np.eye(4)) == 1
    _, slope = inner.sloped(np.eye(4))
    for a, b in product(range(3), range(4)):
        step = np.zeros((4, 4))
        step[a, b] = 1e-2 if b == 3 else 5e-4
        change = (inner.of(np.eye(4) + step) - inner.of(np.eye(4) - step)) / (2 * step[a, b])
        assert slope[a, b] == pytest.approx(change, rel=0.1, abs=0.02 * np.abs(slope[:, b]).max())


def test_the_same_is_found_twice():
    fixed, moving = pair(True, truth(True))
    a, b = (aligned(fixed, moving, [np.eye(4)], family="affine", measure="mutual", samples=2000, turn=15.0)
            for _ in range(2))
    assert np.array_equal(a.matrix, b.matrix)


def test_maps_that_are_nearly_one_are_one():
    space = Space(np.zeros(3), 10.0, False)
    near, far = np.eye(4), np.eye(4)
    near[0, 3], far[0, 3] = 0.1, 3.0
    assert space.apart(np.eye(4), far) == pytest.approx(0.3)
    found = space.distinct([(1.0, near), (2.0, np.eye(4)), (0.5, far)])
    assert [value for value, _ in found] == [2.0, 0.5]
