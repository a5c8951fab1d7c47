"""Kernels do what plain code does, and slopes are derivatives."""

import numpy as np
import pytest
from scipy import ndimage
from scipy.interpolate import BSpline

from isocenter.ops.similarity import BINS, LEFT, MEASURES, RIGHT, correlation, gathered, looked_up, mutual, squares

SHAPE = (7, 9, 8)


def volume(seed=0):
    return ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=SHAPE), 1).astype(np.float32) * 20


def looked(array, points, matrix=None, sloped=True):
    values = np.empty((1, len(points)), np.float32)
    gradients = np.empty((1, len(points), 3), np.float32)
    seen = looked_up(array[..., None], np.eye(4)[:3] if matrix is None else matrix, points, values, gradients, sloped)
    return values[0], gradients[0], seen


def test_values_are_linear_between_pixels_and_nothing_lies_beyond():
    array = volume()
    points = np.random.default_rng(1).uniform(-1.5, 9.5, (500, 3))
    values, _, seen = looked(array, points)
    inside = ((points > -0.5) & (points < np.array(SHAPE[::-1]) - 0.5)).all(axis=1)
    expected = ndimage.map_coordinates(array, points[:, ::-1].T, order=1, mode="nearest")
    assert np.array_equal(np.isfinite(values), inside)
    assert seen == inside.sum()
    assert np.allclose(values[inside], expected[inside], atol=1e-4)


def test_gradients_are_differences():
    array = volume()
    points = np.random.default_rng(2).uniform(0.1, 5.8, (200, 3))
    points = np.floor(points) + np.clip(points % 1, 0.05, 0.95)
    _, gradients, _ = looked(array, points)
    for k in range(3):
        ends = [looked(array, points + s * 0.01 * np.eye(3)[k])[0] for s in (1, -1)]
        assert np.allclose(gradients[:, k], (ends[0] - ends[1]) / 0.02, atol=0.02)


def test_a_matrix_brings_the_points_and_what_is_not_known_is_not_shown():
    array = volume()
    array[3, 4, 5] = np.nan
    matrix = np.array([[0.0, 1, 0, 1], [1, 0, 0, 0], [0, 0, 1, 1]])
    values, _, seen = looked(array, np.array([[1.0, 2, 3], [4.0, 4, 2], [3.5, 4.0, 2.0]]), matrix)
    assert values[0] == array[4, 1, 3]
    assert np.isnan(values[1:]).all()
    assert seen == 1


def test_every_channel_is_looked_up_by_itself():
    array = np.stack([volume(0), volume(1)], -1)
    points = np.random.default_rng(1).uniform(-1, 8, (50, 3))
    values, gradients = np.empty((2, 50), np.float32), np.empty((2, 50, 3), np.float32)
    looked_up(array, np.eye(4)[:3], points, values, gradients, True)
    for k in range(2):
        own = looked(np.ascontiguousarray(array[..., k]), points)
        assert np.array_equal(values[k], own[0], equal_nan=True)
        assert np.array_equal(gradients[k], own[1])


def test_a_flat_volume_has_no_slope_across():
    array = volume()[:1]
    values, gradients, _ = looked(array, np.array([[2.5, 3.5, 0.0]]))
    assert values[0] == pytest.approx(array[0, 3:5, 2:4].mean(), rel=1e-5)
    assert gradients[0, 2] == 0


def pair(n=400, seed=3):
    rng = np.random.default_rng(seed)
    fixed = rng.uniform(0, BINS - 1, n).astype(np.float32)
    moving = np.clip(fixed + rng.normal(size=n) * 3, 0, BINS - 1.01).astype(np.float32)
    moving[::9] = np.nan
    return fixed, moving


def plain_mutual(fixed, moving):
    kept = np.isfinite(moving)
    joint = np.zeros((BINS, BINS + LEFT + RIGHT))
    spline = BSpline.basis_element([-2, -1, 0, 1, 2], extrapolate=False)
    for f, m in zip(fixed[kept], moving[kept], strict=True):
        weights = np.nan_to_num(spline(np.arange(-LEFT, BINS + RIGHT) - m))
        joint[int(np.floor(f + 0.5))] += weights
    joint /= kept.sum()
    outer = joint.sum(1, keepdims=True) * joint.sum(0)
    some = joint > 1e-12
    return (joint[some] * np.log(joint[some] / outer[some])).sum()


def plain_squares(fixed, moving):
    return -np.nanmean((moving - fixed) ** 2)


def plain_correlation(fixed, moving):
    kept = np.isfinite(moving)
    return np.corrcoef(fixed[kept], moving[kept])[0, 1]


ORACLES = {"squares": plain_squares, "correlation": plain_correlation, "mutual": plain_mutual,
           "mind": plain_correlation}


@pytest.mark.parametrize("name", list(MEASURES))
def test_measures_are_what_plain_code_makes(name):
    fixed, moving = pair()
    slopes = np.empty(len(fixed))
    assert MEASURES[name](fixed, moving, slopes) == pytest.approx(ORACLES[name](fixed, moving), rel=1e-4)
    assert (slopes[np.isnan(moving)] == 0).all()
    for i in np.flatnonzero(np.isfinite(moving))[:12]:
        ends = []
        for s in (1, -1):
            other = moving.copy()
            other[i] += s * 0.01
            ends.append(MEASURES[name](fixed, other, np.empty(len(fixed))))
        step = float(np.float32(moving[i] + np.float32(0.01)) - np.float32(moving[i] - np.float32(0.01)))
        assert slopes[i] == pytest.approx((ends[0] - ends[1]) / step, rel=0.03, abs=2e-6)


@pytest.mark.parametrize("name", list(MEASURES))
def test_what_is_alike_is_more_alike_than_what_is_not(name):
    fixed, moving = pair()
    measure = MEASURES[name]
    mixed = np.random.default_rng(0).permutation(fixed)
    same, near, far = (measure(fixed, m, np.empty(len(fixed))) for m in (fixed, moving, mixed))
    assert same > near > far


def test_values_of_two_kinds_are_alike_by_information_alone():
    fixed, _ = pair()
    turned = BINS - 1.01 - fixed
    slopes = np.empty(len(fixed))
    assert mutual(fixed, turned, slopes) == pytest.approx(mutual(fixed, fixed, slopes), rel=0.1)
    assert correlation(fixed, turned, slopes) == pytest.approx(-1)
    assert squares(fixed, turned, slopes) < squares(fixed, fixed, slopes)


@pytest.mark.parametrize("measure", [squares, correlation, mutual])
def test_nothing_in_common_is_minus_infinity_and_one_value_has_no_slope(measure):
    nothing = np.full(5, np.nan, np.float32)
    ones = np.ones(5, np.float32)
    slopes = np.ones(5)
    assert measure(ones, nothing, slopes) == -np.inf
    assert measure(ones, ones, slopes) == pytest.approx(0, abs=1e-9)


def test_slopes_are_gathered_into_the_derivative_by_the_matrix():
    rng = np.random.default_rng(0)
    slopes, gradients, points = rng.normal(size=20), rng.normal(size=(20, 3)).astype(np.float32), rng.random((20, 3))
    slopes[3] = 0
    expected = np.einsum("i,ia,ib->ab", slopes, gradients, np.c_[points, np.ones(20)])
    assert np.allclose(gathered(slopes, gradients, points), expected)
