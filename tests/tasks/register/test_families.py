"""Every family from pairs: exact maps come back, too few and singular pairs are refused."""

import numpy as np
import pytest

from isocenter.data.findings.transform import Linear
from isocenter.errors import GeometryError
from isocenter.ops.transforms import apply_spline, fit_spline
from isocenter.tasks.register._families import NAMES, SMOOTH, fitted


def pairs(n=30, w=2, seed=0):
    source = np.random.default_rng(seed).random((n, w)) * 300 + 1000
    turn = np.linalg.qr(np.random.default_rng(9).normal(size=(w, w)))[0]
    turn[:, 0] *= np.linalg.det(turn)
    return source, source @ turn.T + 7


@pytest.mark.parametrize("w", [2, 3])
@pytest.mark.parametrize("family", [n for n in NAMES if n != "translation"])
def test_a_turn_is_found_by_all_that_can_turn(family, w):
    source, target = pairs(w=w)
    name, part = fitted(family, source, target)
    assert name == family
    assert np.abs(part.points(source) - target).max() < 1e-2
    assert isinstance(part, Linear) == (family not in SMOOTH)


def test_without_a_family_the_simplest_serves():
    rng = np.random.default_rng(1)
    source, target = pairs()
    assert fitted(None, source, target + rng.normal(size=target.shape))[0] == "rigid"


@pytest.mark.parametrize("w", [2, 3])
@pytest.mark.parametrize("smoothing", [0.0, 1e-3])
def test_the_spline_of_scaled_points_is_that_of_the_points(w, smoothing):
    rng = np.random.default_rng(2)
    source = rng.random((25, w)) * 300 + 1000
    target = source + rng.normal(size=source.shape) * 9
    _, part = fitted("thin_plate", source, target, smoothing=smoothing)
    centre, scale = source.mean(0), np.sqrt(source.var(0).sum())
    scaled = (source - centre) / scale
    probe = rng.random((40, w)) * 300 + 1000
    expected = apply_spline(scaled, fit_spline(scaled, target, smoothing), (probe - centre) / scale)
    assert np.allclose(part.points(probe), expected, atol=1e-5)


@pytest.mark.parametrize("family", [*(n for n in NAMES if n != "translation"), None])
def test_too_few_and_one_place_are_refused(family):
    with pytest.raises(GeometryError, match="do not determine"):
        fitted(family, np.zeros((1, 2)), np.zeros((1, 2)))
    with pytest.raises(GeometryError, match="do not determine"):
        fitted(family, np.ones((9, 2)), np.ones((9, 2)))
