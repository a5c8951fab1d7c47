"""Tiles of a grid that is too large to be answered at once, for answers that are objects: each belongs to one tile."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isocenter.ops.array import Array
from isocenter.ops.windows import multiple

# Of the margin: how far beyond its core a tile's answer is still taken, so that an object whose centre two tiles see a
# little apart is not lost; suppression then takes one of the two.
SLACK = 0.25


@dataclass(frozen=True)
class Tile:
    """One tile and its core: cores share no point and cover everything.

    Parameters
    ----------
    start
        First pixel.
    size
        Pixels along each axis.
    low, high
        Where the core begins and ends, in pixels of the grid; infinite where there is no neighbour.
    slack
        Pixels beyond the core within which an answer is still taken.
    """

    start: tuple[int, ...]
    size: tuple[int, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    slack: tuple[float, ...]

    def cut(self, array: Array) -> Array:
        """The tile's part of an array (c, *grid)."""
        return array[(slice(None), *(slice(s, s + n) for s, n in zip(self.start, self.size, strict=True)))]

    def placed(self, edges: Array) -> Array:
        """Boxes (n, 2, axes) of the tile on the grid."""
        return np.asarray(edges + np.asarray(self.start, np.float64))

    def holds(self, centres: Array) -> Array:
        """bool (n,): whether points (n, axes) of the grid lie in the core or within `slack` of it."""
        low, high = np.asarray(self.low) - self.slack, np.asarray(self.high) + self.slack
        return np.asarray(((centres >= low) & (centres < high)).all(1))


def tiles(
    shape: Sequence[int], window: Sequence[int], margin: Sequence[float], divisor: Sequence[int] = ()
) -> tuple[Tile, ...]:
    """Tiles that cover a grid, in array order; one where the grid fits into the window.

    Tiles begin at multiples of `divisor`, so that a network that answers alike wherever its cells lie answers about a
    tile as about the whole. An object of up to `margin` pixels whose centre lies in a tile's core lies in the tile.

    Parameters
    ----------
    shape
        Grid; a multiple of `divisor`.
    window
        Size of a tile; enlarged to hold a core as wide as both margins, and to a multiple of `divisor`.
    margin
        Pixels between a seam and the border of each of its two tiles: they overlap by at least twice as much.
    divisor
        As in `windows.multiple`.

    >>> [t.start for t in tiles((100,), (40,), (5,))]
    [(0,), (30,), (60,)]
    """
    steps = tuple(divisor) or (1,) * len(shape)
    sides = widest(window, margin, steps)
    lines = [_line(n, side, m, d) for n, side, m, d in zip(shape, sides, margin, steps, strict=True)]
    size = tuple(min(n, side) for n, side in zip(shape, sides, strict=True))
    slack = tuple(SLACK * m for m in margin)
    out = []
    for parts in itertools.product(*lines):
        start, low, high = zip(*parts, strict=True)
        out.append(Tile(start, size, low, high, slack))
    return tuple(out)


def widest(window: Sequence[int], margin: Sequence[float], divisor: Sequence[int] = ()) -> tuple[int, ...]:
    """Sides of the largest tile of any grid, arguments as in `tiles`."""
    steps = tuple(divisor) or (1,) * len(window)
    return multiple([max(w, int(np.ceil(4 * m))) for w, m in zip(window, margin, strict=True)], steps)


def _line(n: int, side: int, margin: float, divisor: int) -> list[tuple[int, float, float]]:
    """Start, and begin and end of the core, of the tiles along one axis."""
    if n <= side:
        return [(0, -np.inf, np.inf)]
    step = int((side - 2 * margin) // divisor) * divisor or divisor
    count = int(np.ceil((n - side) / step)) + 1
    starts = [int(v) * divisor for v in np.round(np.linspace(0, (n - side) / divisor, count))]
    # A seam lies in the middle of what two tiles both see.
    seams = [(b + a + side) / 2 - 0.5 for a, b in itertools.pairwise(starts)]
    return list(zip(starts, [-np.inf, *seams], [*seams, np.inf], strict=True))
