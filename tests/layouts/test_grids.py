from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Geometry
from isocenter.errors import GeometryError
from isocenter.layouts import grids

GRID = Geometry.from_spacing((4, 5, 6), (3.0, 1.0, 1.0))
LABELS = np.arange(120).reshape(4, 5, 6).astype(np.uint8) % 3


def moved(mm: float) -> Geometry:
    return Geometry.from_spacing((4, 5, 6), (3.0, 1.0, 1.0), origin=(0.0, mm, 0.0))


@pytest.mark.parametrize("mm", [0.0, 1e-4, 0.01])
def test_what_moves_no_pixel_is_used(mm: float) -> None:
    assert grids.aligned(LABELS, moved(mm), GRID, where="l") is LABELS


def test_a_moved_label_is_refused_with_its_distance_and_the_repair() -> None:
    with pytest.raises(GeometryError, match=r"lies elsewhere.*got 5 mm apart") as error:
        grids.aligned(LABELS, moved(5.0), GRID, where="l.nii")
    assert '"geometry"' in error.value.remedy and error.value.where == "l.nii"
    assert grids.aligned(LABELS, moved(5.0), GRID, where="l", allowed=True) is LABELS


def test_another_shape_is_refused_and_resampled_where_that_is_allowed() -> None:
    fine = Geometry.from_spacing((4, 10, 12), (3.0, 0.5, 0.5), origin=(-0.25, -0.25, 0.0))
    labels = LABELS.repeat(2, axis=1).repeat(2, axis=2)
    with pytest.raises(GeometryError, match="another grid") as error:
        grids.aligned(labels, fine, GRID, where="l")
    assert "4 x 10 x 12 at 3 x 0.5 x 0.5 mm" in error.value.got and "nearest neighbour" in error.value.remedy
    assert np.array_equal(grids.aligned(labels, fine, GRID, where="l", allowed=True), LABELS)


def test_what_lies_outside_becomes_background() -> None:
    small = GRID.cropped((0, 0, 0), (4, 5, 3))
    out = grids.aligned(np.ones((4, 5, 3), np.uint8), small, GRID, where="l", allowed=True)
    assert out[..., :3].all() and not out[..., 3:].any()


def test_without_positions_another_shape_cannot_be_resampled() -> None:
    flat = Geometry((4, 5))
    with pytest.raises(GeometryError, match="axes look exchanged") as error:
        grids.aligned(np.zeros((5, 4), np.uint8), Geometry((5, 4)), flat, where="l", allowed=True)
    assert "cannot be resampled safely" in error.value.remedy


def test_an_unknown_spacing_agrees_with_any() -> None:
    assert grids.aligned(LABELS, Geometry((4, 5, 6)), GRID, where="l") is LABELS
