"""How points move: steps between successive points of one track, and their mean square displacement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isocenter.ops.array import Array


@dataclass(frozen=True, eq=False)
class Steps:
    """The steps between successive points of one track each.

    Parameters
    ----------
    first
        int64 (k,): position of the point that each step starts from; it ends at the next.
    moved
        float64 (k, axes): displacement, in the unit of the points.
    lasted
        float64 (k,): above 0, in the unit of the times.
    """

    first: Array
    moved: Array
    lasted: Array

    @property
    def lengths(self) -> Array:
        """float64 (k,): distance covered by each step."""
        return np.asarray(np.linalg.norm(self.moved, axis=1))

    @property
    def speeds(self) -> Array:
        """float64 (k,): distance by time of each step."""
        return np.asarray(self.lengths / self.lasted)


def steps(points: Array, times: Array, numbers: Array) -> Steps:
    """The steps of points that lie by track, then by time.

    Parameters
    ----------
    points
        float64 (n, axes).
    times
        float64 (n,).
    numbers
        int64 (n,): the track of each point.
    """
    first = np.flatnonzero(numbers[1:] == numbers[:-1])
    return Steps(first, points[first + 1] - points[first], times[first + 1] - times[first])


def mean_square_displacement(points: Array, frames: Array, numbers: Array, *, most: int) -> tuple[Array, Array]:
    """The mean squared distance between points of one track that lie a number of frames apart.

    All pairs of points of all tracks count alike (the time-averaged estimate over overlapping intervals).

    Source: Qian et al., Biophysical Journal 1991.

    Parameters
    ----------
    points
        float64 (n, axes), by track, then by frame.
    frames, numbers
        int64 (n,): frame and track of each point.
    most
        Largest number of frames apart.

    Returns
    -------
    means
        float64 (most,): for 1, 2 ... frames apart; NaN where there is no pair.
    pairs
        int64 (most,): how many there are.
    """
    total, pairs = np.zeros(most), np.zeros(most, np.int64)
    for offset in range(1, min(most, len(points) - 1) + 1):
        # Frames rise within a track, so points that are `most` frames apart are at most `most` places apart.
        same = numbers[offset:] == numbers[:-offset]
        apart = np.where(same, frames[offset:] - frames[:-offset], 0)
        near = np.flatnonzero((apart >= 1) & (apart <= most))
        squared = ((points[near + offset] - points[near]) ** 2).sum(axis=1)
        total += np.bincount(apart[near] - 1, squared, most)
        pairs += np.bincount(apart[near] - 1, minlength=most)
    means = np.full(most, np.nan)
    return np.divide(total, pairs, out=means, where=pairs > 0), pairs
