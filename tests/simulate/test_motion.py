"""Speckle that moves as it was told to."""

from __future__ import annotations

import numpy as np

from isocenter.ops.warping import sampled
from isocenter.simulate.motion import Motion, moving_speckle

SHAPE = (48, 56)


def test_a_beat_begins_and_ends_at_rest() -> None:
    motion = Motion(frames=10)
    assert motion.share(0) == 0 and motion.share(5) == 1 and abs(motion.share(10)) < 1e-12
    assert np.allclose(motion.gradient(5), [[0.92, 0], [0, 1.06]]) and np.allclose(motion.gradient(0), np.eye(2))
    middle = np.array([10.0, 10.0])
    assert np.allclose(motion.carried(np.array([[10.0, 10.0], [20, 20]]), middle, 5), [[13, 8], [22.2, 18.6]])


def test_the_film_is_the_first_frame_carried() -> None:
    motion = Motion(frames=6)
    film = moving_speckle(SHAPE, np.random.default_rng(0), motion, fresh=0.0).pixels().astype(float)
    grid = np.argwhere(np.ones(SHAPE, bool))
    there = motion.carried(grid, (np.array(SHAPE) - 1) / 2, 3).reshape(*SHAPE, 2)
    back, core = sampled(film[3], there, order=3), (slice(8, -8), slice(8, -8))
    assert np.corrcoef(back[core].ravel(), film[0][core].ravel())[0, 1] > 0.95
    assert np.corrcoef(film[3][core].ravel(), film[0][core].ravel())[0, 1] < 0.5


def test_what_is_new_in_each_frame_makes_them_less_alike() -> None:
    still = Motion((0.0, 0.0), ((0.0, 0.0), (0.0, 0.0)), 4)

    def alike(fresh: float) -> float:
        film = moving_speckle(SHAPE, np.random.default_rng(1), still, fresh=fresh).pixels().astype(float)
        return float(np.corrcoef(film[0].ravel(), film[2].ravel())[0, 1])

    assert alike(0.0) > 0.999 > alike(0.1) > alike(0.5) > alike(1.0)


def test_it_is_a_film_of_ultrasound_and_repeats() -> None:
    image = moving_speckle(SHAPE, np.random.default_rng(2), Motion(frames=4))
    assert image.axes == "tyx" and image.shape == (4, *SHAPE) and image.dtype == "uint8" and image.modality == "US"
    assert image.times == (0.0, 0.04, 0.08, 0.12)
    again = moving_speckle(SHAPE, np.random.default_rng(2), Motion(frames=4))
    assert np.array_equal(again.pixels(), image.pixels())
