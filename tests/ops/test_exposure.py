"""Gains and offsets are found for all images at once; what is clipped or flat does not mislead."""

import numpy as np
import pytest

from isocenter.ops.exposure import Exposures, Shared, difference, exposures, steps

GAINS, OFFSETS = np.array([0.8, 1.0, 1.3, 0.9]), np.array([5.0, -3.0, 8.0, -10.0])
PAIRS = [(0, 1), (1, 2), (2, 3), (3, 0)]


def seen(offsets, noise=0.5, n=400, channels=2, pairs=PAIRS, seed=0):
    rng = np.random.default_rng(seed)
    out = []
    for a, b in pairs:
        truth = rng.uniform(40, 160, (n, channels))
        sides = [truth * GAINS[i] + offsets[i] + rng.normal(size=truth.shape) * noise for i in (a, b)]
        out.append(Shared(a, b, *sides, np.ones(truth.shape, bool)))
    return out


def test_gains_are_found_and_no_offset_is_made_up():
    by = exposures(seen(np.zeros(4)), 4)
    made = GAINS[:, None] * by.gains
    assert np.allclose(made / made[0], 1, atol=0.002)
    assert np.allclose(np.exp(np.log(by.gains).mean(0)), 1)
    assert (by.offsets == 0).all()


def test_offsets_are_found_where_they_are():
    shared = seen(OFFSETS)
    by = exposures(shared, 4)
    made = GAINS[:, None] * by.gains
    assert np.allclose(made / made[0], 1, atol=0.01)
    joined = OFFSETS[:, None] * by.gains + by.offsets
    assert np.ptp(joined, axis=0).max() < 1
    assert difference(shared, by) < 0.02 < difference(shared, exposures(shared, 4, offset=False))
    assert (exposures(seen(np.zeros(4)), 4, offset=True).offsets != 0).all()


def test_noise_alone_does_not_pull_gains_towards_one():
    by = exposures(seen(np.zeros(4), noise=10.0, n=20_000, channels=1), 4, offset=False)
    made = GAINS[:, None] * by.gains
    assert np.allclose(made / made[0], 1, atol=0.01)


def test_clipped_values_are_left_out():
    shared = []
    for s in seen(np.zeros(4), channels=1, noise=0.0):
        sides = [np.minimum(v, 120.0) for v in (s.here, s.there)]
        shared.append(Shared(s.first, s.second, *sides, (sides[0] < 120) & (sides[1] < 120)))
    by = exposures(shared, 4)
    made = GAINS[:, None] * by.gains
    assert np.allclose(made / made[0], 1, atol=1e-6)
    all_clipped = Shared(0, 1, np.full((60, 1), 255.0), np.full((60, 1), 255.0), np.zeros((60, 1), bool))
    assert np.allclose(exposures([all_clipped], 2).gains, 1)


def test_flat_overlaps_give_a_gain_and_never_a_wild_one():
    rng = np.random.default_rng(0)
    sides = [100.0 * g + rng.normal(size=(300, 1)) * 0.3 for g in GAINS[:2]]
    by = exposures([Shared(0, 1, *sides, np.ones((300, 1), bool))], 2, offset=True)
    assert by.gains[0, 0] * 0.8 == pytest.approx(by.gains[1, 0], rel=0.01)
    dark = Shared(0, 1, np.zeros((60, 1)), np.zeros((60, 1)), np.ones((60, 1), bool))
    assert np.allclose(exposures([dark], 2).gains, 1)


def test_images_that_share_nothing_stay_and_steps_are_told():
    shared = seen(np.zeros(4), pairs=[(0, 1)])
    by = exposures(shared, 4)
    assert (by.gains[2:] == 1).all() and (by.offsets == 0).all()
    plain = exposures([], 4, channels=2)
    assert plain.gains.shape == (4, 2)
    assert steps(shared[0], plain) == pytest.approx(0.2 / 0.9, rel=0.02)
    assert steps(shared[0], by) < 0.003
    twice = Exposures(plain.gains * 2, plain.offsets)
    assert steps(shared[0], twice) == pytest.approx(steps(shared[0], plain))
