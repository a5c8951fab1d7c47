"""A transform as a value: direction, composition, inverse, grids of any spacing and orientation."""

import numpy as np
import pytest

from isocenter.data import Correspondence, Geometry, Segmentation, Transform
from isocenter.data.findings.transform import Field, Inverse, Linear, Polynomial, Spline, dimension, to_index, to_world
from isocenter.errors import GeometryError
from isocenter.ops.transforms import fit_spline

FLAT = Geometry((20, 30))
MM = Geometry.from_spacing((20, 30), (0.5, 2.0), origin=(5.0, -3.0))
VOLUME = Geometry.from_spacing((8, 9, 10), (3.0, 1.0, 2.0))
SLICE = Geometry((20, 30), ((0.0, 1.5, 10.0), (0.7, 0.0, 20.0), (0.1, 0.0, 30.0), (0.0, 0.0, 1.0)))


def wave(geometry, size=1.0):
    rng = np.random.default_rng(0)
    coarse = rng.normal(size=(dimension(geometry), *geometry.shape)) * 0
    at = np.indices(geometry.shape)
    for k in range(len(coarse)):
        coarse[k] = size * np.sin(at[k % len(at)] / 4 + k)
    return Field(coarse, geometry)


def bent():
    source = np.array([[0.0, 0], [0, 19], [29, 0], [29, 19], [14, 9]])
    target = source + np.array([[1, 0], [0, 1], [-1, 0], [0, -1], [2.0, 1]])
    return Spline(source, fit_spline(source, target))


@pytest.mark.parametrize("grid", [FLAT, MM, VOLUME, SLICE])
def test_world_and_index_undo_each_other(grid):
    at = np.random.default_rng(1).random((5, grid.ndim)) * 7
    assert np.allclose(to_index(grid, to_world(grid, at)), at)
    assert to_world(grid, at).shape == (5, dimension(grid))


def test_without_spacing_the_world_is_pixels_x_first():
    moved = Transform.of_matrix(np.array([[1, 0, 5.0], [0, 1, 0], [0, 0, 1]]), FLAT, FLAT)
    assert moved.points(np.array([[1.0, 2.0]])).tolist() == [[6.0, 2.0]]
    assert moved.indices(np.array([[2.0, 1.0]])).tolist() == [[2.0, 6.0]]


def test_with_spacing_it_is_millimetres():
    moved = Transform.of_matrix(np.array([[1, 0, 4.0], [0, 1, 1.0], [0, 0, 1]]), MM, MM)
    assert np.allclose(moved.indices(np.array([[3.0, 4.0]])), [[5.0, 6.0]])


@pytest.mark.parametrize("kind", ["matrix", "perspective", "polynomial", "spline", "field"])
def test_the_inverse_undoes_it_and_its_inverse_is_the_map(kind):
    part = {
        "matrix": Linear(np.array([[1.1, 0.2, 3], [-0.1, 0.9, 1], [0, 0, 1]])),
        "perspective": Linear(np.array([[1.0, 0, 2], [0, 1, 0], [1e-3, 1e-3, 1]])),
        "polynomial": Polynomial(np.array([[2.0, 1], [10, 0], [0, 10], [0.5, 0], [0, 0.5], [0, 0]]), 2,
                                 np.array([10.0, 10]), 10.0),
        "spline": bent(),
        "field": wave(FLAT),
    }[kind]
    t = Transform((part,), FLAT, FLAT)
    at = np.random.default_rng(2).random((40, 2)) * [25, 15] + 2
    assert np.abs(t.inverse().points(t.points(at)) - at).max() < 0.02
    assert np.allclose(t.inverse().inverse().points(at), t.points(at))
    assert (t.matrix is None) == (kind not in ("matrix", "perspective"))


def test_composition_is_one_after_the_other_and_matrices_merge():
    a = Transform.of_matrix(np.array([[0.0, -1, 9], [1, 0, 0], [0, 0, 1]]), FLAT, FLAT)
    b = Transform((bent(),), FLAT, FLAT)
    at = np.random.default_rng(3).random((9, 2)) * 10
    for one, two in ((a, b), (b, a), (a, a), (b, b)):
        assert np.allclose(one.then(two).points(at), two.points(one.points(at)))
    assert len(a.then(a).then(a).parts) == 1
    assert np.allclose(a.then(a.inverse()).matrix, np.eye(3))
    with pytest.raises(GeometryError, match="another world"):
        a.then(Transform.identity(MM, MM))


@pytest.mark.parametrize("grid", [FLAT, MM, VOLUME, SLICE])
def test_the_jacobian_is_1_where_nothing_changes_and_the_volume_where_it_grows(grid):
    w = dimension(grid)
    m = np.eye(w + 1)
    assert np.allclose(Transform.of_matrix(m, grid, grid).jacobian(), 1.0)
    m[:w, :w] *= 2
    assert np.allclose(Transform.of_matrix(m, grid, grid).jacobian(), 2.0**grid.ndim)


def test_a_mirrored_storage_is_no_fold_but_a_mirrored_map_is():
    stored = FLAT.from_spacing((20, 30), (1.0, 1.0)).reoriented((0, 1), (False, True))
    plain = Geometry.from_spacing((20, 30), (1.0, 1.0))
    assert np.allclose(Transform.identity(plain, stored).jacobian(), 1.0)
    mirror = Transform.of_matrix(np.diag([-1.0, 1, 1]), plain, plain)
    assert (mirror.jacobian() < 0).all()


def test_a_map_becomes_a_field_and_stays_what_it_is():
    t = Transform((bent(),), MM, FLAT.from_spacing((20, 30), (1.0, 1.0)))
    at = np.random.default_rng(4).integers(0, 19, (12, 2)).astype(float)
    assert np.allclose(t.as_field().indices(at), t.indices(at), atol=1e-4)
    assert isinstance(t.as_field().parts[0], Field)


def test_what_is_no_map_is_refused():
    with pytest.raises(GeometryError, match="singular"):
        Linear(np.zeros((3, 3)))
    with pytest.raises(GeometryError, match="no matrix"):
        Linear(np.eye(2))
    with pytest.raises(GeometryError, match="does not fit the world"):
        Transform.of_matrix(np.eye(4), FLAT, FLAT)
    with pytest.raises(GeometryError, match="dimension"):
        Transform.identity(FLAT, VOLUME)
    with pytest.raises(GeometryError, match="field and grid"):
        Field(np.zeros((2, 3, 3)), FLAT)
    with pytest.raises(GeometryError, match="not finite"):
        Field(np.full((2, 20, 30), np.nan), FLAT)


def test_a_fold_is_seen_in_the_jacobian():
    at = np.indices((20, 30)).astype(float)
    folded = Transform((Field(np.stack([0 * at[1], np.abs(at[0] - 10) - at[0]]), FLAT),), FLAT, FLAT)
    assert (folded.jacobian() <= 0).mean() > 0.4
    assert isinstance(folded.inverse().parts[0], Inverse)


def test_correspondences_are_checked():
    points = np.zeros((4, 2))
    assert Correspondence(FLAT, FLAT, (points, points)).regions is None
    region = Segmentation(np.zeros((20, 30), np.uint8), ("background", "a"), FLAT)
    assert Correspondence(FLAT, FLAT, regions=(region, region)).points is None
    for how, match in (({}, "nothing"), ({"points": (points, points[:3])}, "differ in number"),
                       ({"points": (points, points + np.nan)}, "not finite")):
        with pytest.raises(GeometryError, match=match):
            Correspondence(FLAT, FLAT, **how)
    with pytest.raises(GeometryError, match="another grid"):
        Correspondence(FLAT, MM, regions=(region, region))


def test_beyond_its_grid_a_field_stays_what_it_was_at_the_edge():
    shift = np.zeros((2, 20, 30))
    shift[0, :, -1], shift[1, 0, :] = 3.0, -2.0
    part = Field(shift, FLAT)
    assert part.points(np.array([[50.0, 9.0], [4.0, -7.0], [29.0, 9.0]])).tolist() == [[53, 9], [4, -9], [32, 9]]


def test_in_a_slice_of_space_a_flat_map_leaves_the_third_coordinate():
    points = np.random.default_rng(5).random((6, 3)) * 20
    for part in (bent(), Polynomial(np.array([[1.0, 2], [0.5, 0], [0, 0.5]]), 1, np.zeros(2), 1.0)):
        out = part.points(points)
        assert np.array_equal(out[:, 2], points[:, 2])
        assert np.allclose(out[:, :2], part.points(points[:, :2]))
        assert np.abs(part.inverted().points(out) - points).max() < 0.02


@pytest.mark.parametrize("grid", [FLAT, MM, VOLUME])
def test_a_few_points_show_the_same_jacobian_as_all(grid):
    w = dimension(grid)
    m = np.eye(w + 1)
    m[:w, :w] += np.random.default_rng(6).normal(size=(w, w)) * 0.1
    t = Transform.of_matrix(m, grid, grid)
    few = t.jacobian(5)
    assert few.shape == (5,) * grid.ndim
    assert np.allclose(few, np.linalg.det(m[:w, :w]))
    assert np.allclose(t.jacobian(), few.flat[0])


def test_several_parts_undo_each_other_in_the_right_order():
    turn = Transform.of_matrix(np.array([[0.0, -1, 19], [1, 0, 0], [0, 0, 1]]), FLAT, FLAT)
    whole = turn.then(Transform((bent(),), FLAT, FLAT)).then(Transform((wave(FLAT),), FLAT, FLAT)).then(turn)
    at = np.random.default_rng(7).random((20, 2)) * 12 + 3
    assert np.abs(whole.inverse().points(whole.points(at)) - at).max() < 0.05
    assert len(whole.parts) == 4
    assert whole.inverse().fixed is whole.moving
