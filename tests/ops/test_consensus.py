"""Maps found among wrong pairs; what chance gives is not taken for a map."""

from math import comb, log10

import numpy as np
import pytest

from isocenter.ops.consensus import agreed, by_chance, costs, errors, plausible, refined, simplest
from isocenter.ops.transforms import FAMILIES, apply_matrix, fit_matrix

MAPS = {
    "translation": [[1, 0, 20.0], [0, 1, -9], [0, 0, 1]],
    "rigid": [[0.8, -0.6, 20.0], [0.6, 0.8, 5], [0, 0, 1]],
    "similarity": [[1.2, -0.9, 20.0], [0.9, 1.2, 5], [0, 0, 1]],
    "affine": [[1.2, 0.2, 20.0], [-0.3, 0.9, 5], [0, 0, 1]],
    "perspective": [[1.1, 0.1, 20.0], [-0.2, 0.9, 5], [4e-4, -3e-4, 1]],
}
AREA = 400.0 * 400


def mixed(family, n, wrong, seed=0, noise=0.5):
    rng = np.random.default_rng(seed)
    source = rng.random((n, 2)) * 400
    target = apply_matrix(np.array(MAPS[family]), source) + rng.normal(size=(n, 2)) * noise
    bad = rng.random(n) < wrong
    target[bad] = rng.random((int(bad.sum()), 2)) * 400
    return source, target, bad


@pytest.mark.parametrize("family", list(FAMILIES))
def test_the_map_is_found_among_three_wrong_pairs_of_five(family):
    source, target, bad = mixed(family, 150, 0.6)
    found = agreed(source, target, family, threshold=3.0, area=AREA)
    probe = np.random.default_rng(1).random((50, 2)) * 400
    assert np.linalg.norm(
        apply_matrix(found.matrix, probe) - apply_matrix(np.array(MAPS[family]), probe), axis=1
    ).mean() < 1.0
    assert (found.inliers == ~bad).mean() > 0.95
    assert found.chance < -20


def test_it_comes_near_the_fit_of_the_right_pairs_alone():
    source, target, bad = mixed("affine", 120, 0.5, seed=3)
    found = agreed(source, target, "affine", threshold=3.0, area=AREA)
    alone = fit_matrix("affine", source[~bad], target[~bad])
    assert np.abs(apply_matrix(found.matrix, source) - apply_matrix(alone, source)).max() < 0.5


@pytest.mark.parametrize("family", ["similarity", "affine", "perspective"])
def test_random_pairs_agree_as_chance_says(family):
    chances = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        found = agreed(rng.random((60, 2)) * 400, rng.random((60, 2)) * 400, family, threshold=3.0, area=AREA)
        chances.append(found.chance if found else 0.0)
    assert min(chances) > -3


def test_the_same_seed_finds_the_same():
    source, target, _ = mixed("affine", 80, 0.5)
    a, b = (agreed(source, target, "affine", threshold=3.0, area=AREA, seed=5) for _ in range(2))
    assert np.array_equal(a.matrix, b.matrix)
    assert a.samples == b.samples


def test_fewer_wrong_pairs_need_fewer_samples():
    few, many = (agreed(*mixed("perspective", 100, w)[:2], "perspective", threshold=3.0, area=AREA) for w in (0.1, 0.7))
    assert few.samples == 256
    assert many.samples > few.samples


@pytest.mark.parametrize("n", [0, 1, 3])
def test_too_few_pairs_give_nothing(n):
    assert agreed(np.zeros((n, 2)), np.zeros((n, 2)), "affine", threshold=1.0, area=AREA) is None


def test_pairs_in_one_line_give_nothing():
    line = np.stack([np.arange(30.0), np.arange(30.0)], 1)
    assert agreed(line, line, "affine", threshold=1.0, area=AREA) is None


def test_in_space_too():
    rng = np.random.default_rng(7)
    q, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    q[:, 0] *= np.linalg.det(q)
    source = rng.random((60, 3)) * 100
    target = source @ q.T + 5
    target[:30] = rng.random((30, 3)) * 100
    found = agreed(source, target, "rigid", threshold=2.0, area=1e6)
    assert np.allclose(found.matrix[:3, :3], q, atol=1e-3)
    assert found.inliers[30:].all()


def test_what_no_two_pictures_of_one_thing_do_is_not_plausible():
    source = np.array([[0.0, 0], [100, 0], [0, 100], [100, 100]])
    wild = [np.diag([1.0, -1, 1]), np.diag([30.0, 30, 1]), np.array([[1, 0, 0], [0, 1, 0], [-0.02, 0, 1.0]]),
            np.full((3, 3), np.nan)]
    assert plausible(np.array([np.eye(3), *wild]), source).tolist() == [True, False, False, False, False]


def test_refinement_never_makes_it_worse():
    source, target, _ = mixed("affine", 100, 0.4)
    for seed in range(5):
        start = np.array(MAPS["affine"]) + np.random.default_rng(seed).normal(size=(3, 3)) * [[0.02], [0.02], [0.0]]
        end = refined(start, source, target, "affine", threshold=3.0)
        before, after = (costs(errors(m, source, target), 3.0) for m in (start, end))
        assert after <= before


def test_chance_is_the_formula():
    n, k, least, p = 20, 9, 3, 0.01
    expected = log10((n - least) * comb(n, k) * comb(k, least) * p ** (k - least))
    assert by_chance(n, k, least, p) == pytest.approx(expected)
    assert by_chance(20, 3, 3, 0.5) > 0


@pytest.mark.parametrize("family", ["rigid", "similarity", "affine", "perspective"])
def test_the_simplest_family_that_explains_the_pairs_is_chosen(family):
    chosen = [simplest(*mixed(family, 150, 0.0, seed)[:2])[0] for seed in range(5)]
    assert chosen.count(family) >= 4
    assert simplest(np.zeros((5, 2)), np.zeros((5, 2))) is None


def test_a_pair_without_a_place_is_infinitely_wrong_and_costs_1():
    m = np.array([[1.0, 0, 0], [0, 1, 0], [-0.1, 0, 1]])
    source = np.array([[1.0, 0], [10, 0], [20, 0]])
    away = errors(m, source, source)
    assert np.isfinite(away).tolist() == [True, False, False]
    assert costs(away[1:], 1.0) == 1
    assert costs(np.zeros(4), 1.0) == 0
    assert costs(np.array([1.0]), 1.0) == pytest.approx((1 + 1 + 0.25) / 3)


def test_shuffled_pairs_are_the_same_pairs():
    source, target, _ = mixed("affine", 100, 0.5, seed=8)
    order = np.random.default_rng(9).permutation(100)
    a = agreed(source, target, "affine", threshold=3.0, area=AREA)
    b = agreed(source[order], target[order], "affine", threshold=3.0, area=AREA)
    assert np.abs(apply_matrix(a.matrix, source) - apply_matrix(b.matrix, source)).max() < 0.5
    assert (a.inliers[order] == b.inliers).mean() > 0.97
