"""Maps between worlds against exact maps, a general minimiser, and known refusals."""

import numpy as np
import pytest
from scipy.interpolate import RBFInterpolator
from scipy.optimize import least_squares

from isocenter.errors import GeometryError
from isocenter.ops import transforms as ops


def turn(angle):
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s], [s, c]])


def exact(family, w, rng):
    m = np.eye(w + 1)
    m[:w, w] = rng.normal(size=w) * 30
    if family != "translation":
        q, r = np.linalg.qr(rng.normal(size=(w, w)))
        q = q * np.sign(np.diag(r))
        q[:, 0] *= np.sign(np.linalg.det(q))
        m[:w, :w] = q
    if family in ("similarity", "affine", "perspective"):
        m[:w, :w] *= 1.7
    if family in ("affine", "perspective"):
        m[:w, :w] += rng.normal(size=(w, w)) * 0.1
    if family == "perspective":
        m[w, :w] = rng.normal(size=w) * 1e-4
    return m


@pytest.mark.parametrize("w", [2, 3])
@pytest.mark.parametrize("family", list(ops.FAMILIES))
def test_an_exact_map_is_found_from_few_and_from_many_points(family, w):
    rng = np.random.default_rng(3)
    for n in (ops.FAMILIES[family][w - 2], 50):
        m = exact(family, w, rng)
        source = rng.random((n, w)) * 200
        found = ops.fit_matrix(family, source, ops.apply_matrix(m, source))
        probe = rng.random((20, w)) * 200
        assert np.allclose(ops.apply_matrix(found, probe), ops.apply_matrix(m, probe), atol=1e-4)


@pytest.mark.parametrize("family", list(ops.FAMILIES))
def test_a_batch_is_its_members_one_by_one(family):
    rng = np.random.default_rng(4)
    source, target = rng.random((2, 7, 12, 2)) * 90
    weights = rng.random((7, 12))
    found = ops.fit_matrix(family, source, target, weights)
    for i in range(7):
        assert np.allclose(found[i], ops.fit_matrix(family, source[i], target[i], weights[i]), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("family", ["rigid", "similarity", "affine", "perspective"])
def test_no_general_minimiser_does_better(family):
    rng = np.random.default_rng(5)
    m = exact(family, 2, rng)
    source = rng.random((30, 2)) * 200
    target = ops.apply_matrix(m, source) + rng.normal(size=(30, 2))
    weights = rng.random(30) + 0.1

    def made(p):
        if family in ("rigid", "similarity"):
            scale = 1.0 if family == "rigid" else p[3]
            return np.block([[scale * turn(p[0]), p[1:3, None]], [np.zeros((1, 2)), np.ones((1, 1))]])
        out = np.eye(3)
        out.ravel()[: len(p)] = p
        return out

    def off(p):
        return (np.sqrt(weights)[:, None] * (ops.apply_matrix(made(p), source) - target)).ravel()

    angle = np.arctan2(m[1, 0], m[0, 0])
    start = {"rigid": [angle, *m[:2, 2]], "similarity": [angle, *m[:2, 2], 1.7], "affine": m.ravel()[:6],
             "perspective": m.ravel()[:8]}[family]
    best = least_squares(off, start, x_scale="jac").cost
    found = ops.apply_matrix(ops.fit_matrix(family, source, target, weights), source)
    ours = 0.5 * (weights[:, None] * (found - target) ** 2).sum()
    assert ours <= best * (1.001 if family == "perspective" else 1 + 1e-9)


def test_a_mirror_image_is_never_answered_by_rigid():
    source = np.random.default_rng(6).random((9, 2))
    found = ops.fit_matrix("similarity", source, source * [-1, 1])
    assert np.linalg.det(found[:2, :2]) > 0


@pytest.mark.parametrize("family", ["rigid", "affine", "perspective"])
def test_points_that_do_not_determine_a_map_give_no_map(family):
    line = np.stack([np.arange(8.0), 2 * np.arange(8.0)], 1)
    one = np.ones((8, 2))
    assert np.isnan(ops.fit_matrix(family, one, line)).any()
    if family != "rigid":
        assert np.isnan(ops.fit_matrix(family, line, line)).any()
    assert np.isnan(ops.fit_matrix(family, line[:1], line[:1])).all()


def test_what_goes_to_infinity_is_no_number():
    m = np.array([[1.0, 0, 0], [0, 1, 0], [-0.1, 0, 1]])
    out = ops.apply_matrix(m, np.array([[5.0, 1], [10.0, 1], [20.0, 1]]))
    assert np.allclose(out[0], [10, 2])
    assert np.isnan(out[1:]).all()


def test_a_polynomial_is_found_and_refused_without_enough():
    rng = np.random.default_rng(7)
    source, true = rng.random((30, 2)), rng.normal(size=(6, 2))
    assert np.allclose(ops.fit_polynomial(source, ops.monomials(source, 2) @ true, 2), true)
    with pytest.raises(GeometryError, match="do not determine"):
        ops.fit_polynomial(source[:5], source[:5], 2)
    assert ops.monomials(rng.random((4, 3)), 3).shape == (4, 20)


@pytest.mark.parametrize("w", [2, 3])
def test_a_spline_goes_through_its_landmarks_as_scipys(w):
    rng = np.random.default_rng(8)
    source, target = rng.random((2, 20, w)) * 10
    weights = ops.fit_spline(source, target)
    assert np.allclose(ops.apply_spline(source, weights, source), target, atol=1e-6)
    probe = rng.random((30, w)) * 10
    peer = RBFInterpolator(source, target, kernel="thin_plate_spline" if w == 2 else "linear", degree=1)
    assert np.allclose(ops.apply_spline(source, weights, probe), peer(probe), atol=1e-6)


def test_a_smooth_spline_comes_near_an_affine_map():
    rng = np.random.default_rng(9)
    source = rng.random((40, 2)) * 10
    target = source @ turn(0.3).T + rng.normal(size=(40, 2)) * 0.1
    rough, smooth = (ops.apply_spline(source, ops.fit_spline(source, target, s), source) for s in (0.0, 1e3))
    plain = ops.apply_matrix(ops.fit_matrix("affine", source, target), source)
    assert np.abs(smooth - plain).max() < 1e-2 < np.abs(rough - plain).max()


@pytest.mark.parametrize("bad", ["line", "few", "twice"])
def test_singular_landmarks_are_refused(bad):
    source = np.random.default_rng(10).random((6, 2))
    source = {"line": source * [1, 0], "few": source[:2], "twice": np.concatenate([source, source[:1]])}[bad]
    with pytest.raises(GeometryError, match="do not determine"):
        ops.fit_spline(source, np.random.default_rng(1).random(source.shape))


def test_an_inverse_is_solved_and_a_fold_has_none():
    def bent(p):
        return p + 3 * np.sin(p[:, ::-1] / 10)

    source = np.random.default_rng(11).random((50, 2)) * 100
    found = ops.solved(bent, bent(source), bent(source), step=1.0)
    assert np.abs(found - source).max() < 0.02

    def folded(p):
        return p**2

    found = ops.solved(folded, np.array([[4.0, 9.0], [-1.0, 4.0]]), np.array([[1.0, 1.0], [1.0, 1.0]]), step=0.1)
    assert np.allclose(found[0], [2, 3], atol=1e-3)
    assert np.isnan(found[1]).all()


@pytest.mark.parametrize("family", list(ops.FAMILIES))
def test_a_pair_that_counts_twice_is_two_pairs_and_one_of_weight_0_is_none(family):
    rng = np.random.default_rng(12)
    source, target = rng.random((2, 14, 2)) * 100
    weights = rng.integers(0, 3, 14)
    repeated = np.repeat(np.arange(14), weights)
    found = ops.fit_matrix(family, source, target, weights)
    again = ops.fit_matrix(family, source[repeated], target[repeated])
    probe = rng.random((9, 2)) * 100
    assert np.allclose(ops.apply_matrix(found, probe), ops.apply_matrix(again, probe), atol=1e-5, equal_nan=True)


@pytest.mark.parametrize("family", list(ops.FAMILIES))
def test_far_from_the_origin_and_in_other_units_it_is_the_same_map(family):
    rng = np.random.default_rng(13)
    source = rng.random((40, 2)) * 100
    target = ops.apply_matrix(exact(family, 2, rng), source) + rng.normal(size=(40, 2)) * 0.3
    # A rigid map knows its unit; both sides change alike.
    plain = ops.apply_matrix(ops.fit_matrix(family, source, target), source)
    moved = ops.fit_matrix(family, 1000 * source + 1e6, 1000 * target + 1e6)
    assert np.allclose(ops.apply_matrix(moved, 1000 * source + 1e6), 1000 * plain + 1e6, atol=0.05)


def test_perspective_is_as_near_as_opencvs():
    cv2 = pytest.importorskip("cv2", reason="pip install 'isocenter[video]'")
    rng = np.random.default_rng(14)
    m = exact("perspective", 2, rng)
    source = rng.random((60, 2)) * 300
    target = ops.apply_matrix(m, source) + rng.normal(size=(60, 2))
    peer, _ = cv2.findHomography(source, target, 0)
    ours, theirs = (((ops.apply_matrix(h, source) - target) ** 2).sum()
                    for h in (ops.fit_matrix("perspective", source, target), peer))
    assert ours <= theirs * 1.001


def test_more_points_than_a_block_are_the_same_points():
    rng = np.random.default_rng(15)
    centres = rng.random((6, 2)) * 10
    weights = ops.fit_spline(centres, rng.random((6, 2)))
    probe = rng.random((ops.BLOCK + 7, 2)) * 10
    whole = ops.apply_spline(centres, weights, probe)
    assert np.allclose(whole[-9:], ops.apply_spline(centres, weights, probe[-9:]))
    assert len(ops.apply_spline(centres, weights, probe[:0])) == 0


def test_a_map_without_value_somewhere_is_still_solved_elsewhere():
    def half(p):
        return np.where(p[:, :1] > 0, 1.5 * p, np.nan)

    found = ops.solved(half, np.array([[3.0, 3.0], [-3.0, 3.0]]), np.array([[2.5, 2.5], [-1.0, 1.0]]), step=1.0)
    assert np.allclose(found[0], [2, 2], atol=0.01)
    assert np.isnan(found[1]).all()
