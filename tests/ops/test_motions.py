"""Maps by few numbers are what they say, and so are their derivatives."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from isocenter.ops.motions import NUMBERS, motion, rotation

CENTRE = np.array([3.0, -2.0, 5.0])
BOTH = [(family, flat) for family in NUMBERS for flat in (True, False)]


def numbers(family, flat, seed=0):
    return np.random.default_rng(seed).normal(size=NUMBERS[family][0 if flat else 1]) * 3


@pytest.mark.parametrize(("family", "flat"), BOTH)
def test_slopes_are_the_derivatives(family, flat):
    p = numbers(family, flat)
    matrix, slopes = motion(family, p, CENTRE, 20.0)
    assert slopes.shape == (len(p), 4, 4)
    for k in range(len(p)):
        step = np.eye(len(p))[k] * 1e-4
        ends = [motion(family, p + s * step, CENTRE, 20.0)[0] for s in (1, -1)]
        assert np.allclose(slopes[k], (ends[0] - ends[1]) / 2e-4, atol=1e-7)
    assert np.array_equal(matrix[3], [0, 0, 0, 1])


@pytest.mark.parametrize(("family", "flat"), BOTH)
def test_nothing_moves_by_zeros_and_a_flat_image_stays_flat(family, flat):
    assert np.array_equal(motion(family, np.zeros(NUMBERS[family][0 if flat else 1]), CENTRE, 7.0)[0], np.eye(4))
    if flat:
        matrix, _ = motion(family, numbers(family, True), np.array([3.0, -2.0, 0.0]), 7.0)
        assert (matrix @ [4.0, 9.0, 0.0, 1.0])[2] == 0.0


@pytest.mark.parametrize("flat", [True, False])
def test_families_keep_what_they_promise(flat):
    n = 2 if flat else 3
    inner = {f: motion(f, numbers(f, flat), CENTRE, 10.0)[0][:n, :n] for f in NUMBERS}
    assert np.array_equal(inner["translation"], np.eye(n))
    assert np.allclose(inner["rigid"] @ inner["rigid"].T, np.eye(n))
    assert np.isclose(np.linalg.det(inner["rigid"]), 1)
    gram = inner["similarity"] @ inner["similarity"].T
    assert np.allclose(gram, gram[0, 0] * np.eye(n))
    assert gram[0, 0] != pytest.approx(1)


@pytest.mark.parametrize("vector", [[0.0, 0, 0], [1e-9, 0, 0], [0.3, -1.0, 2.0], [0, 0, np.pi]])
def test_rotation_is_scipys(vector):
    turn, changes = rotation(np.array(vector))
    assert np.allclose(turn, Rotation.from_rotvec(vector).as_matrix(), atol=1e-12)
    for k in range(3):
        step = np.eye(3)[k] * 1e-6
        ends = [Rotation.from_rotvec(vector + s * step).as_matrix() for s in (1, -1)]
        assert np.allclose(changes[k], (ends[0] - ends[1]) / 2e-6, atol=1e-6)


def test_numbers_are_lengths():
    centre = np.zeros(3)
    for family in ("rigid", "affine"):
        for k in range(3, 6):
            step = np.eye(NUMBERS[family][1])[k] * 0.01
            moved = motion(family, step, centre, 30.0)[0]
            probe = np.concatenate([30.0 * np.eye(3), np.ones((3, 1))], axis=1)
            assert np.linalg.norm((moved @ probe.T).T - probe, axis=1).max() == pytest.approx(0.01, rel=1e-3)
