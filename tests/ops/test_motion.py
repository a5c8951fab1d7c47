"""Steps and mean square displacement."""

from __future__ import annotations

import numpy as np

from isocenter.ops.motion import mean_square_displacement, steps

# Two tracks, the first with a hole at frame 2.
POINTS = np.array([[0.0, 0.0], [3.0, 4.0], [3.0, 10.0], [5.0, 5.0], [5.0, 6.0]])
FRAMES = np.array([0, 1, 3, 0, 1])
NUMBERS = np.array([1, 1, 1, 2, 2])


def test_steps_join_points_of_one_track() -> None:
    found = steps(POINTS, FRAMES * 2.0, NUMBERS)
    assert found.first.tolist() == [0, 1, 3]
    assert found.lengths.tolist() == [5.0, 6.0, 1.0]
    assert found.lasted.tolist() == [2.0, 4.0, 2.0]
    assert found.speeds.tolist() == [2.5, 1.5, 0.5]


def test_mean_square_displacement_counts_every_pair() -> None:
    means, pairs = mean_square_displacement(POINTS, FRAMES, NUMBERS, most=4)
    assert pairs.tolist() == [2, 1, 1, 0]
    assert means[:3].tolist() == [(25 + 1) / 2, 36.0, 9 + 100.0]
    assert np.isnan(means[3])


def test_mean_square_displacement_of_a_walk_as_plainly_counted() -> None:
    rng = np.random.default_rng(0)
    numbers = np.repeat(np.arange(1, 7), 30)
    frames = np.tile(np.arange(30), 6)
    keep = rng.random(180) > 0.2
    points = rng.normal(size=(180, 3)).cumsum(0)[keep]
    numbers, frames = numbers[keep], frames[keep]
    means, pairs = mean_square_displacement(points, frames, numbers, most=8)
    for lag in range(1, 9):
        squares = [
            float(((points[j] - points[i]) ** 2).sum())
            for i in range(len(points)) for j in range(len(points))
            if numbers[i] == numbers[j] and frames[j] - frames[i] == lag
        ]
        assert pairs[lag - 1] == len(squares) and np.isclose(means[lag - 1], np.mean(squares))


def test_without_a_second_point_there_is_no_step() -> None:
    found = steps(POINTS[:1], FRAMES[:1].astype(float), NUMBERS[:1])
    assert len(found.first) == 0 and found.speeds.shape == (0,)
    means, pairs = mean_square_displacement(POINTS[:1], FRAMES[:1], NUMBERS[:1], most=3)
    assert np.isnan(means).all() and not pairs.any()
