from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from isocenter.data import Geometry
from isocenter.data.moving import chained, cropped, flipped, padded, resampled, rotated, scaled
from isocenter.errors import GeometryError, UsageError
from isocenter.verbs._moves import MOVES, move_of

FLAT, VOLUME = Geometry.from_spacing((20, 30), (1.0, 0.5)), Geometry.from_spacing((8, 20, 30), (3.0, 1.0, 0.5))


@pytest.mark.parametrize(
    ("grid", "name", "value", "expected"),
    [
        (FLAT, "rotate", "15", rotated(FLAT, 15)), (FLAT, "rotate", -90.0, rotated(FLAT, -90)),
        (VOLUME, "rotate", "y:30.5", rotated(VOLUME, 30.5, axis="y")), (FLAT, "flip", "y,x", flipped(FLAT, "yx")),
        (VOLUME, "scale", "2", scaled(VOLUME, (2, 2, 2))), (FLAT, "scale", (2, 1.5), scaled(FLAT, (2, 1.5))),
        (VOLUME, "resample", "1,1,1", resampled(VOLUME, spacing=(1, 1, 1))),
        (FLAT, "size", [10, 10], resampled(FLAT, shape=(10, 10))),
        (FLAT, "crop", "2:12,:-5", cropped(FLAT, (2, 0), (10, 25))),
        (FLAT, "crop", ((-8, 20), (0, 30)), cropped(FLAT, (12, 0), (8, 30))),
        (FLAT, "pad", "3", padded(FLAT, (3, 3), (3, 3))),
        (VOLUME, "pad", "1,2,3", padded(VOLUME, (1, 2, 3), (1, 2, 3))),
    ],
)  # fmt: skip
def test_what_is_typed_is_what_is_done(grid: Geometry, name: str, value: Any, expected: Any) -> None:
    made = move_of(grid, [(name, value)])
    assert made.fixed.same_grid(expected.fixed) and made.moving.same_grid(grid)
    assert np.allclose(made.matrix, expected.matrix)  # type: ignore[arg-type]


def test_moves_apply_in_their_order() -> None:
    first = rotated(FLAT, 90)
    second = cropped(first.fixed, (0, 0), (10, 20))
    made = move_of(FLAT, [("rotate", 90), ("crop", "0:10,:")])
    assert np.allclose(made.matrix, chained([first, second]).matrix)  # type: ignore[arg-type]
    assert made.fixed.shape == (10, 20) and move_of(FLAT, [("crop", "0:10,:"), ("rotate", 90)]).fixed.shape == (30, 10)
    nothing = move_of(FLAT, [])
    assert np.array_equal(nothing.matrix, np.eye(3)) and nothing.fixed is FLAT  # type: ignore[arg-type]


def test_matrices_and_corners() -> None:
    made = move_of(FLAT, [("affine", "1,0,5,0,1,-2")])
    assert np.allclose(made.inverse().points(np.array([[1.0, 1]])), [[6, -1]])
    solid = move_of(VOLUME, [("affine", [1, 0, 0, 4, 0, 1, 0, 0, 0, 0, 1, 0])])
    assert np.allclose(solid.inverse().points(np.zeros((1, 3))), [[4, 0, 0]])
    view = move_of(FLAT, [("perspective", "1,1,28,0,29,19,0,18")])
    assert np.allclose(view.inverse().indices(np.array([[0.0, 0], [19, 29]])), [[1, 1], [19, 29]])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rotate", "fifteen"), ("rotate", "1,2"), ("scale", "1,2,3"), ("scale", "nan"), ("size", "10.5,3"),
        ("size", "10"), ("crop", "1:2"), ("crop", "a:2,3:4"), ("crop", "12,3:4"), ("pad", "1.5"), ("affine", "1,2,3"),
        ("perspective", "1,2"), ("resample", "1"),
    ],
)  # fmt: skip
def test_what_a_move_takes_is_said(name: str, value: str) -> None:
    with pytest.raises(UsageError, match="takes") as told:
        move_of(FLAT, [(name, value)])
    assert MOVES[name].partition(",")[0] in str(told.value)


def test_a_move_that_does_not_exist_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="Did you mean rotate"):
        move_of(FLAT, [("rotat", 15)])
    with pytest.raises(GeometryError, match="singular"):
        move_of(FLAT, [("affine", "1,2,0,2,4,0")])
    with pytest.raises(GeometryError, match="nothing of the image"):
        move_of(FLAT, [("crop", "30:40,:")])
