"""Many maps at once: exact where all agree, the least error where they do not."""

import numpy as np
import pytest
from scipy.optimize import least_squares

from isocenter.ops.adjustment import KINDS, Tie, adjusted, chained, changed, generators, reached, residuals
from isocenter.ops.transforms import apply_matrix

LOOP = [(0, 1), (1, 2), (2, 3), (3, 0), (0, 2)]


def maps_of(kind, rank, n=4, seed=0, size=0.2):
    rng = np.random.default_rng(seed)
    basis = generators(kind, rank)
    out = [changed(rng.normal(size=len(basis)) * size, basis) for _ in range(n)]
    for m in out:
        m[:rank, rank] *= 500
    return np.stack([np.eye(rank + 1), *out[1:]])


def ties_of(maps, noise=0.0, seed=1, pairs=LOOP):
    rng = np.random.default_rng(seed)
    rank = maps.shape[1] - 1
    out = []
    for a, b in pairs:
        there = rng.random((12, rank)) * 300
        seen = [apply_matrix(np.linalg.inv(maps[i]), there) for i in (a, b)]
        out.append(Tie(a, b, seen[0], seen[1] + rng.normal(size=there.shape) * noise))
    return out


@pytest.mark.parametrize("rank", [2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_what_agrees_is_found_exactly_from_far_away(kind, rank):
    true = maps_of(kind, rank)
    ties = ties_of(true)
    start = np.stack([np.eye(rank + 1)] * 4)
    found = adjusted(ties, start, kind=kind, fixed=0)
    assert np.allclose(found[0], np.eye(rank + 1))
    assert residuals(ties, found).max() < 1e-5
    assert np.allclose(found, true, atol=1e-4)


def test_turns_stay_turns():
    found = adjusted(ties_of(maps_of("similarity", 2), noise=3.0), np.stack([np.eye(3)] * 4), kind="rigid", fixed=2)
    for m in found:
        assert np.allclose(m[:2, :2] @ m[:2, :2].T, np.eye(2))
        assert np.linalg.det(m) == pytest.approx(1.0)


def test_noise_is_shared_as_a_general_solver_shares_it():
    true = maps_of("rigid", 2, seed=3)
    ties = ties_of(true, noise=2.0)
    found = adjusted(ties, true, kind="rigid", fixed=0)

    def error(x):
        maps = [np.eye(3)]
        for angle, a, b in x.reshape(3, 3):
            maps.append(np.array([[np.cos(angle), -np.sin(angle), a], [np.sin(angle), np.cos(angle), b], [0, 0, 1]]))
        return np.concatenate(
            [(apply_matrix(maps[t.first], t.here) - apply_matrix(maps[t.second], t.there)).ravel() for t in ties]
        )

    start = [[np.arctan2(m[1, 0], m[0, 0]), m[0, 2], m[1, 2]] for m in true[1:]]
    theirs = least_squares(error, np.ravel(start), xtol=1e-12, ftol=1e-12)
    ours = sum(r**2 * 12 for r in residuals(ties, found))
    assert ours == pytest.approx(2 * theirs.cost, rel=1e-6)
    assert not np.allclose(found, true, atol=1e-2)


def test_a_heavier_tie_is_followed_more():
    true = maps_of("translation", 2)
    wrong = [Tie(0, 1, np.zeros((4, 2)), np.full((4, 2), 10.0), w) for w in (3.0, 1.0)]
    wrong[1] = Tie(0, 1, np.zeros((4, 2)), np.full((4, 2), 20.0), 1.0)
    assert np.allclose(adjusted(wrong, true[:2], kind="translation", fixed=0)[1, :2, 2], -12.5)


def test_images_without_ties_stay():
    start = maps_of("rigid", 2, seed=5)
    found = adjusted(ties_of(start, pairs=[(0, 1)]), start, kind="rigid", fixed=0)
    assert np.array_equal(adjusted([], start, kind="rigid", fixed=0), start)
    assert np.allclose(found[2:], start[2:])


def test_first_guesses_are_chained_over_the_surest_pairs():
    true = maps_of("affine", 2, seed=7)
    pairs = [(2, 3), (1, 0), (3, 1)]
    steps = [np.linalg.inv(true[b]) @ true[a] for a, b in pairs]
    assert np.allclose(chained(pairs, steps, fixed=0, images=4), true)
    alone = chained(pairs[:1], steps[:1], fixed=0, images=4)
    assert np.allclose(alone, np.eye(3))
    assert reached(pairs, 0) == {0, 1, 2, 3}
    assert reached(pairs[:1], 0) == {0}
