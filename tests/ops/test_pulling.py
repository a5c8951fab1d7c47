"""Fields read where others point, against scipy; gradients against the definition of a transpose, and differences."""

import numpy as np
import pytest
from scipy import ndimage

from isocenter.ops.pulling import pulled, pushed

SHAPES = [(7, 9), (4, 5, 6), (1, 6, 5)]


def drawn(shape, channels=2, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(channels, *shape)), 1.3 * rng.normal(size=(len(shape), *shape)), rng


@pytest.mark.parametrize("shape", SHAPES)
def test_values_are_scipys_with_the_edge_repeated(shape):
    field, move, _ = drawn(shape)
    at = np.indices(shape) + move
    wanted = [ndimage.map_coordinates(c, at, order=1, mode="nearest") for c in field]
    found = pulled(field, move)
    assert found.dtype == np.float32 and np.allclose(found, wanted, atol=1e-5)


def test_no_displacement_is_the_field_itself():
    field, move, _ = drawn((5, 6))
    assert np.array_equal(pulled(field, 0 * move), field.astype(np.float32))


@pytest.mark.parametrize("shape", SHAPES)
def test_the_way_back_is_the_transpose_of_reading(shape):
    field, move, rng = drawn(shape)
    gradient = rng.normal(size=field.shape)
    back, _ = pushed(field, move, gradient)
    assert back.shape == field.shape and back.dtype == np.float32
    assert (back * field).sum() == pytest.approx((gradient * pulled(field, move)).sum(), rel=1e-4)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_gradient_by_the_displacement_is_that_of_small_changes(shape):
    field, move, rng = drawn(shape)
    # Away from pixel centres, where the linear pieces meet.
    move = np.floor(move) + 0.3 + 0.4 * rng.random(move.shape)
    gradient, along = rng.normal(size=field.shape), rng.normal(size=move.shape)
    turn = pushed(field, move, gradient)[1]
    step = 1e-2
    apart = (gradient * (pulled(field, move + step * along).astype(float) - pulled(field, move - step * along))).sum()
    assert (turn * along).sum() == pytest.approx(apart / (2 * step), rel=2e-3, abs=2e-3)
    assert turn.shape == move.shape


def test_what_lies_beyond_the_edge_does_not_move():
    field, move, _ = drawn((6, 6))
    turn = pushed(field, np.full_like(move, 20.0), np.ones_like(field))[1]
    assert not turn.any()
