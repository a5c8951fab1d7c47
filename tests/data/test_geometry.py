"""Grids in space: 48 orientations, centres, refusals."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from isocenter.data import Geometry, orienting
from isocenter.errors import GeometryError

ENDS = ("RL", "AP", "IS")
CODES = ["".join(p) for order in itertools.permutations(ENDS) for p in itertools.product(*order)]


def oblique(shape: tuple[int, ...] = (4, 5, 6)) -> Geometry:
    angle = 0.2
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    m = np.eye(4)
    m[:3, :3] = turn @ np.array([[0, 0, 0.7], [0, 0.9, 0], [2.5, 0, 0]])
    m[:3, 3] = (-10.0, 20.0, 30.0)
    return Geometry(shape, tuple(map(tuple, m.tolist())), "1.2.3")


def test_there_are_48_orientations() -> None:
    assert len(set(CODES)) == 48


@pytest.mark.parametrize("codes", CODES)
def test_every_orientation_round_trips_exactly(codes: str) -> None:
    geometry = oblique()
    array = np.arange(120).reshape(geometry.shape)
    order, flips = orienting(geometry, codes)
    axes = [a for a, f in enumerate(flips) if f]
    turned, there = np.flip(array.transpose(order), axes), geometry.reoriented(order, flips)
    assert there.orientation == codes
    # Every pixel keeps its place in the patient.
    index = np.argwhere(turned == 97)
    assert np.allclose(there.to_world(index), geometry.to_world(np.argwhere(array == 97)), atol=1e-9)
    back = orienting(there, geometry.orientation or "")
    again = there.reoriented(*back)
    assert again.same_grid(geometry, 1e-9)
    assert np.array_equal(np.flip(turned.transpose(back[0]), [a for a, f in enumerate(back[1]) if f]), array)


def test_unknown_spacing_stays_unknown() -> None:
    g = Geometry.from_spacing((3, 4), None)
    assert g.spacing is None and g.unit == "px" and g.pixel_volume is None
    assert g.resampled((6, 8)).spacing is None and g.cropped((1, 1), (2, 2)).shape == (2, 2)
    with pytest.raises(GeometryError, match="spacing is unknown"):
        g.to_world(np.zeros((1, 2)))


def test_spacing_orientation_and_volume() -> None:
    g = oblique()
    assert g.spacing == pytest.approx((2.5, 0.9, 0.7))
    assert g.orientation == "SPL"
    assert g.pixel_volume == pytest.approx(2.5 * 0.9 * 0.7)
    assert g.diagonal == pytest.approx(np.linalg.norm([10, 4.5, 4.2]))


def test_a_slice_may_lie_in_three_dimensions() -> None:
    g = Geometry((5, 6), ((0, 0.7, 1), (0.9, 0, 2), (0, 0, 3), (0, 0, 1)))
    assert g.to_world(np.array([[1, 2]])).tolist() == [[2.4, 2.9, 3.0]]
    assert g.to_index(g.to_world(np.array([[1.5, 2.0]]))) == pytest.approx(np.array([[1.5, 2.0]]))
    assert g.orientation == "PL"


def test_resampling_keeps_the_centre() -> None:
    g = oblique()
    fine = g.resampled((8, 10, 3))

    def centre(x: Geometry) -> np.ndarray:
        return x.to_world((np.array([x.shape]) - 1) / 2)

    assert np.allclose(centre(fine), centre(g))
    assert fine.spacing == pytest.approx((1.25, 0.45, 1.4))


def test_cropping_moves_the_origin() -> None:
    g = oblique()
    assert np.allclose(g.cropped((1, 2, 3), (2, 2, 2)).to_world(np.zeros((1, 3))), g.to_world(np.array([[1, 2, 3]])))


@pytest.mark.parametrize(
    ("affine", "said"),
    [
        (((1, 0, 0), (0, float("nan"), 0), (0, 0, 1)), "NaN"),
        (((1, 0, 0), (0, float("inf"), 0), (0, 0, 1)), "infinity"),
        (((1, 1, 0), (1, 1, 0), (0, 0, 1)), "singular"),
        (((0, 0, 0), (0, 1, 0), (0, 0, 1)), "singular"),
        (((1, 0), (0, 1)), "does not fit"),
    ],
)
def test_impossible_affines_are_refused(affine: tuple, said: str) -> None:
    with pytest.raises(GeometryError, match=said):
        Geometry((4, 5), affine)


def test_grids_are_compared_at_their_corners() -> None:
    g = oblique()
    m = np.asarray(g.affine)
    m[0, 3] += 0.5
    moved = Geometry(g.shape, tuple(map(tuple, m.tolist())))
    assert not g.same_grid(moved) and g.same_grid(moved, 0.6)
    assert not g.same_grid(Geometry(g.shape)) and Geometry((2, 2)).same_grid(Geometry((2, 2)))


def test_not_an_orientation() -> None:
    for codes in ("SPS", "SP", "XYZ"):
        with pytest.raises(GeometryError, match="not an orientation"):
            orienting(oblique(), codes)
    with pytest.raises(GeometryError, match="only a 3D grid"):
        orienting(Geometry((2, 2)), "SPL")
