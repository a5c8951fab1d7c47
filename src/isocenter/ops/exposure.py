"""Brightness of overlapping images made alike: a gain, and where needed an offset, an image, solved all at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isocenter.ops.array import Array

# An offset is believed where it takes at least so much of the difference that gains leave.
WORTH = 0.2
# Spread of an overlap, as a share of its mean, below which no contrast can be read from it.
CONTRAST = 0.02
# Good values of a pair that are enough.
FEWEST = 50
# Strength with which gains are held to 1 where overlaps say nothing.
HELD = 1e-6


@dataclass(frozen=True, eq=False)
class Shared:
    """The same places seen by two images.

    Parameters
    ----------
    first, second
        Numbers of the images.
    here, there
        float64 (n, c): their values.
    good
        bool (n, c): neither is at an end of its type's range.
    """

    first: int
    second: int
    here: Array
    there: Array
    good: Array

    def of(self, channel: int) -> tuple[Array, Array]:
        """Values (m,) of one channel that are good; all where hardly any is."""
        kept = self.good[:, channel] if self.good[:, channel].sum() >= FEWEST else slice(None)
        return self.here[kept, channel], self.there[kept, channel]


@dataclass(frozen=True, eq=False)
class Exposures:
    """What each image's values are multiplied by, and what is added.

    Parameters
    ----------
    gains
        float64 (images, c), > 0; their geometric mean over the images is 1.
    offsets
        float64 (images, c); their mean is 0.
    """

    gains: Array
    offsets: Array


def exposures(
    shared: Sequence[Shared], images: int, *, offset: bool | None = None, channels: int = 1
) -> Exposures:
    """Gains and offsets under which overlaps agree best.

    The gain of a pair is the slope of the total least squares line of its values (both are noisy), through 0 where
    there are no offsets; logarithms of gains, then offsets, are solved over all pairs by least squares (Brown and
    Lowe, IJCV 74 (2007) 59).

    Parameters
    ----------
    shared
        Pairs; none leaves all as it is.
    images
        How many there are.
    offset
        Whether there are offsets; None: where they take at least a fifth of the difference that gains leave.
    channels
        Of the images, where there is no pair.
    """
    channels = shared[0].here.shape[1] if shared else channels
    plain = Exposures(np.ones((images, channels)), np.zeros((images, channels)))
    if not shared:
        return plain
    gains = _solved(shared, images, offsets=False)
    if offset is False:
        return gains
    both = _solved(shared, images, offsets=True)
    if offset or difference(shared, both) < (1 - WORTH) * difference(shared, gains):
        return both
    return gains


def difference(shared: Sequence[Shared], by: Exposures) -> float:
    """Root mean square difference of the values that images share, as a share of their mean size."""
    sides = [_sides(s, by, c) for s in shared for c in range(s.here.shape[1])]
    squares = np.mean([((a - b) ** 2).mean() for a, b in sides])
    return float(np.sqrt(squares) / max(float(np.mean([_size(a, b) for a, b in sides])), 1e-12))


def steps(shared: Shared, by: Exposures) -> float:
    """By how much one image is brighter than the other where both see the same, as a share of their mean size: >= 0."""
    sides = [_sides(shared, by, c) for c in range(shared.here.shape[1])]
    apart = np.mean([abs(float(a.mean() - b.mean())) for a, b in sides])
    return float(apart / max(float(np.mean([_size(a, b) for a, b in sides])), 1e-12))


def _sides(shared: Shared, by: Exposures, channel: int) -> tuple[Array, Array]:
    here, there = shared.of(channel)
    i, j, c = shared.first, shared.second, channel
    return here * by.gains[i, c] + by.offsets[i, c], there * by.gains[j, c] + by.offsets[j, c]


def _size(a: Array, b: Array) -> float:
    return 0.5 * float(np.abs(a).mean() + np.abs(b).mean())


def _solved(shared: Sequence[Shared], images: int, *, offsets: bool) -> Exposures:
    channels = shared[0].here.shape[1]
    gains, added = np.ones((images, channels)), np.zeros((images, channels))
    pairs = [(s.first, s.second, len(s.here)) for s in shared]
    for c in range(channels):
        seen = [s.of(c) for s in shared]
        slopes = [np.log(_slope(a, b, centred=offsets)) for a, b in seen]
        # there * slope = here, so log g_there - log g_here = log slope.
        gains[:, c] = np.exp(_differences(pairs, slopes, images))
        if offsets:
            moved = [gains[s.first, c] * a.mean() - gains[s.second, c] * b.mean()
                     for s, (a, b) in zip(shared, seen, strict=True)]
            added[:, c] = _differences(pairs, moved, images)
    return Exposures(gains, added)


def _slope(here: Array, there: Array, *, centred: bool) -> float:
    """What `there` is multiplied by to be as `here`."""
    size = _size(here, there)
    a, b = (here - here.mean(), there - there.mean()) if centred else (here, there)
    if (centred and min(a.std(), b.std()) < CONTRAST * size) or not size > 0:
        a, b = here, there
    aa, bb, ab = float(a @ a), float(b @ b), float(a @ b)
    if not ab > 0:
        return 1.0
    # Both are noisy alike after a fair gain: the ratio of spreads is the slope that treats them alike.
    return float(np.sqrt(aa / bb))


def _differences(pairs: Sequence[tuple[int, int, int]], wanted: Sequence[float], images: int) -> Array:
    """Numbers x with x[second] - x[first] as wanted, weighed by their places; their mean is 0."""
    normal, right = HELD * np.eye(images), np.zeros(images)
    total = sum(n for *_, n in pairs)
    for (i, j, n), value in zip(pairs, wanted, strict=True):
        w = n / total
        normal[[i, j], [i, j]] += w
        normal[i, j] -= w
        normal[j, i] -= w
        right[i] -= w * value
        right[j] += w * value
    found = np.linalg.solve(normal, right)
    used = sorted({i for a, b, _ in pairs for i in (a, b)})
    out = np.zeros(images)
    out[used] = found[used] - found[used].mean()
    return out
