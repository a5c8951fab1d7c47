"""What square attacks draw within an l2 budget: bumps in windows, and the budget moved from one window to another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isocenter.ops.array import Array

# Tiles per axis of the start.
TILES = 5


def bump(sides: Sequence[int], rng: np.random.Generator) -> Array:
    """(*sides) float64 of norm 1: two halves of opposite sign along one axis, each rising to its middle.

    A pixel that lies m pixels from the border of its half has the sum of ``1 / (n + 1 - k) ** 2`` over k up to m, where
    n is half the least side. Source: Andriushchenko et al., ECCV 2020, section 4.4 and its figure 4.

    Parameters
    ----------
    sides
        Pixels per axis.
    rng
        Gives the axis, and the sign.
    """
    sides = [int(s) for s in sides]
    axis = int(rng.integers(len(sides)))
    half = sides[axis] // 2
    parts = [n for n in (half, sides[axis] - half) if n]
    drawn = [_hill([n if i == axis else s for i, s in enumerate(sides)]) for n in parts]
    signs = (1.0, -1.0)[: len(drawn)]
    whole = np.concatenate([sign * d for sign, d in zip(signs, drawn, strict=True)], axis=axis)
    return np.asarray(rng.choice([-1.0, 1.0]) * whole / np.linalg.norm(whole))


def tiled(shape: Sequence[int], radius: float, rng: np.random.Generator) -> Array:
    """A start, (c, *grid) of norm `radius`: a bump of its own in each tile and channel, five tiles per axis."""
    out = np.zeros(shape)
    edges = [np.unique(np.linspace(0, n, min(TILES, n) + 1).astype(int)) for n in shape[1:]]
    for place in np.ndindex(*[len(e) - 1 for e in edges]):
        where = tuple(slice(e[i], e[i + 1]) for e, i in zip(edges, place, strict=True))
        sides = [w.stop - w.start for w in where]
        for channel in out:
            channel[where] = bump(sides, rng)
    return np.asarray(out * (radius / np.linalg.norm(out)))


def moved(change: Array, radius: float, sides: Sequence[int], rng: np.random.Generator) -> Array:
    """A change with all that a second window held, and what the budget still had, put into a first one.

    Parameters
    ----------
    change
        (c, *grid) of norm at most `radius`.
    radius
        The budget.
    sides
        Of both windows, at most those of the grid.
    rng
        Gives the windows and the bump.

    Returns
    -------
    (c, *grid) of norm at most `radius`.
    """
    out = change.copy()
    first, second = (_window(change.shape[1:], sides, rng) for _ in range(2))
    both = np.zeros(change.shape[1:], bool)
    both[first] = both[second] = True
    # What the budget had left, and what both windows held, by channel.
    free = max(radius**2 - float((change**2).sum()), 0.0) / len(change)
    held = [float((channel[both] ** 2).sum()) for channel in change]
    olds = [channel[first].copy() for channel in change]
    for channel, old, own in zip(out, olds, held, strict=True):
        channel[second] = 0.0
        size = float(np.linalg.norm(old))
        new = bump(sides, rng) + (old / size if size else 0.0)
        length = float(np.linalg.norm(new))
        channel[first] = new * (np.sqrt(own + free) / length) if length > 1e-12 else old
    return out


def _hill(sides: Sequence[int]) -> Array:
    """Rising from the border to the middle."""
    ring = np.min(np.stack(np.meshgrid(*[_depth(n) for n in sides], indexing="ij")), axis=0)
    steps = np.cumsum([1 / (min(sides) // 2 + 1 - k) ** 2 for k in range(int(ring.max()) + 1)])
    return np.asarray(steps[ring])


def _depth(n: int) -> Array:
    at = np.arange(n)
    return np.minimum(at, n - 1 - at)


def _window(grid: Sequence[int], sides: Sequence[int], rng: np.random.Generator) -> tuple[slice, ...]:
    low = [int(rng.integers(0, n - s + 1)) for n, s in zip(grid, sides, strict=True)]
    return tuple(slice(a, a + s) for a, s in zip(low, sides, strict=True))
