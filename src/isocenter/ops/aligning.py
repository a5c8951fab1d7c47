"""The straight map under which two images are most alike: a coarse search, then gradients from coarse grids to fine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from isocenter.ops.array import Array
from isocenter.ops.descriptors import described
from isocenter.ops.motions import NUMBERS, motion
from isocenter.ops.sides import Side
from isocenter.ops.similarity import BINS, MEASURES, gathered, looked_up

# Pixels along the longest side of the coarsest and of the finest grid, in the plane and in space.
COARSEST, FINEST = (64, 16), (512, 160)
# Share of the points that must show something in the other image.
SEEN = 0.25
# Points by which candidates are held against each other, candidates that are followed, and how many of them further.
FEW, FOLLOWED, KEPT = 2000, 12, 3
# Of the starts: degrees between turns, length of a shift in spreads of the points, sizes where the family has any.
STEP, SHIFT, SIZES = 15.0, 0.3, (0.8, 1.0, 1.25)
# Spreads of the points below which two maps are one.
SAME = 0.05
# By what the last climb on the finest grid goes, where not by the measure itself: correlation of descriptors finds the
# way from farther, their differences end nearer.
LAST = {"mind": "squares"}
# Steps of one climb at most, and the cost where the images hardly meet.
STEPS, OUTSIDE = 40, 1e3
# Share of the rank in a place among bins.
MIXED = 0.5


def evened(volume: Array, bins: int = BINS) -> Array:
    """Values as places in bins, 0 to `bins` - 1: half by value between the 0.5th and 99.5th percentile, half by rank.

    By value alone a few bright pixels would leave one bin to all others; by rank alone noise would fill the bins.
    """
    finite = np.isfinite(volume)
    known = volume[finite]
    if not len(known) or known.min() == known.max():
        return np.where(finite, np.float32(0), np.float32(np.nan))
    quantiles = np.quantile(known[:: max(1, len(known) // 100_000)], np.linspace(0.005, 0.995, 256))
    level, first = np.unique(quantiles, return_index=True)
    if len(level) < 2:
        level, first = np.array([known.min(), known.max()]), np.array([0, 255])
    last = np.append(first[1:], len(quantiles)) - 1
    rank = np.interp(volume, level, (first + last) / (first[-1] + last[-1]))
    value = np.clip((volume - level[0]) / (level[-1] - level[0]), 0, 1)
    return np.asarray((bins - 1) * (MIXED * rank + (1 - MIXED) * value), np.float32)


@dataclass(frozen=True, eq=False)
class Likeness:
    """How alike two images are under a matrix from fixed to moving world, at points of the fixed image.

    Parameters
    ----------
    points
        float64 (n, 3), in no order.
    fixed
        float32 (c, n): what the fixed image shows there.
    moving
        The moving image on its grid.
    shown
        float32 (z, y, x, c): what it shows there.
    measure
        A key of `MEASURES`; of several channels the mean counts.
    ways
        float64 (3, 3): the ways to the neighbours by which the fixed image is described; None: it shows its values.
    """

    points: Array
    fixed: Array
    moving: Side
    shown: Array
    measure: str
    ways: Array | None = None

    def of_points(self, chosen: Any) -> Likeness:
        """By some of the points alone."""
        return replace(self, points=self.points[chosen], fixed=np.ascontiguousarray(self.fixed[:, chosen]))

    def halves(self, space: Space) -> tuple[Likeness, Likeness]:
        """By the points in the black and in the white fields of a board, a field as wide as the points' spread.

        In smaller fields neighbours of the other colour show the same, and halves agree on what is not there.
        """
        fields = np.floor((self.points - space.centre) / space.radius).astype(int)
        black = fields[:, : 2 if space.flat else 3].sum(axis=1) % 2 == 0
        return self.of_points(black), self.of_points(~black)

    def under(self, matrix: Array) -> Likeness:
        """The same for maps near a matrix: the moving image is described along the ways that it leads."""
        if self.ways is None:
            return self
        moving = self.moving
        shown = described(moving.volume, moving.matrix, matrix[:3, :3] @ self.ways, moving.flat)
        return replace(self, shown=shown)

    def _looked(self, matrix: Array, sloped: bool) -> tuple[float, Array, Array]:
        values = np.empty(self.fixed.shape, np.float32)
        gradients = np.empty((*self.fixed.shape, 3) if sloped else (0, 0, 3), np.float32)
        seen = looked_up(self.shown, (self.moving.to_index @ matrix)[:3], self.points, values, gradients, sloped)
        return seen / max(len(self.points), 1), values, gradients

    def seen(self, matrix: Array) -> float:
        """Share of the points that show something in the moving image."""
        return self._looked(matrix, False)[0]

    def of(self, matrix: Array) -> float:
        """The measure; minus infinity where less than `SEEN` of the points show something."""
        seen, values, _ = self._looked(matrix, False)
        if seen < SEEN:
            return -np.inf
        measure, slopes = MEASURES[self.measure], np.empty(len(self.points))
        return float(np.mean([measure(f, m, slopes) for f, m in zip(self.fixed, values, strict=True)]))

    def sloped(self, matrix: Array) -> tuple[float, Array]:
        """The measure and its derivative (3, 4) by the matrix."""
        seen, values, gradients = self._looked(matrix, True)
        if seen < SEEN:
            return -np.inf, np.zeros((3, 4))
        measure, slopes = MEASURES[self.measure], np.empty(len(self.points))
        total, out = 0.0, np.zeros((3, 4))
        for f, m, g in zip(self.fixed, values, gradients, strict=True):
            total += float(measure(f, m, slopes))
            out += gathered(slopes, g, self.points)
        return total / len(values), self.moving.to_index[:3, :3].T @ out / len(values)


def likeness(fixed: Side, moving: Side, measure: str, spacing: float, *, samples: int, seed: int = 0) -> Likeness:
    """Two images on grids no finer than `spacing`, compared at up to `samples` random points of the fixed one."""
    a, b = fixed.on(spacing), moving.on(spacing)
    rng = np.random.default_rng(seed)
    at = rng.permutation(np.flatnonzero(np.isfinite(a.volume)))[:samples]
    ways = spacing * np.eye(3) if measure == "mind" else None
    n = min(len(at), FEW) if seed == 0 else len(at)
    here, there = _comparable(a.volume, b.volume, measure, n)
    b = replace(b, volume=there)
    shown = here[..., None] if ways is None else described(here, a.matrix, ways, a.flat)
    index = np.stack(np.unravel_index(at, here.shape)[::-1], 1) + rng.uniform(-0.5, 0.5, (len(at), 3))
    index = np.clip(index, 0, np.array(here.shape[::-1]) - 1)
    values = np.empty((shown.shape[-1], len(at)), np.float32)
    looked_up(shown, np.eye(4)[:3], index, values, np.empty((0, 0, 3), np.float32), False)
    kept = np.isfinite(values[0])
    points = index[kept] @ a.matrix[:3, :3].T + a.matrix[:3, 3]
    made = Likeness(points, np.ascontiguousarray(values[:, kept]), b, there[..., None], measure, ways)
    return made.under(np.eye(4))


def _comparable(fixed: Array, moving: Array, measure: str, n: int) -> tuple[Array, Array]:
    """Both volumes in bins, so many that `n` points fill them; or in standard deviations of the fixed one."""
    if measure in ("mutual", "mind"):
        bins = int(np.clip(n ** (1 / 3), 8, BINS)) if measure == "mutual" else BINS
        return evened(fixed, bins), evened(moving, bins)
    mean, deviation = np.nanmean(fixed, dtype=np.float64), np.nanstd(fixed, dtype=np.float64) or 1.0
    first, second = (np.asarray((v - mean) / deviation, np.float32) for v in (fixed, moving))
    return first, second


@dataclass(frozen=True, eq=False)
class Space:
    """Where the points lie: their mean (3,) and root mean squared distance from it, and whether all have one z."""

    centre: Array
    radius: float
    flat: bool

    @classmethod
    def around(cls, points: Array, flat: bool) -> Space:
        """Of points (n, 3)."""
        centre = points.mean(axis=0)
        return cls(centre, float(np.sqrt(((points - centre) ** 2).sum(1).mean())) or 1.0, flat)

    def apart(self, a: Array, b: Array) -> float:
        """Mean distance between where two matrices bring points at `radius` along the axes, over `radius`."""
        axes = np.eye(3)[: 2 if self.flat else 3]
        probe = np.concatenate([self.centre + self.radius * s * axes for s in (1, -1)])
        there = np.concatenate([probe, np.ones((len(probe), 1))], 1) @ (a - b).T
        return float(np.linalg.norm(there, axis=1).mean() / self.radius)

    def distinct(self, found: Sequence[tuple[float, Array]]) -> list[tuple[float, Array]]:
        """The best first, without what is nearly a better one."""
        out: list[tuple[float, Array]] = []
        for value, matrix in sorted(found, key=lambda f: -f[0]):
            if all(self.apart(matrix, m) > SAME for _, m in out):
                out.append((value, matrix))
        return out


def climbed(like: Likeness, start: Array, family: str, space: Space) -> tuple[float, Array]:
    """The measure and the map, one of a family and then `start`, at which two images are most alike nearby."""
    from scipy.optimize import minimize

    like = like.under(start)
    n = NUMBERS[family][0 if space.flat else 1]

    def cost(numbers: Array) -> tuple[float, Array]:
        inner, slopes = motion(family, numbers, space.centre, space.radius)
        value, by_matrix = like.sloped(start @ inner)
        if not np.isfinite(value):
            return OUTSIDE, np.zeros(n)
        return -value, -np.tensordot((start @ slopes)[:, :3, :], by_matrix, 2)

    first, slope = cost(np.zeros(n))
    # The first step of the search is one length along the slope: a pixel.
    scale = float(np.linalg.norm(slope)) / like.moving.spacing.min()
    if first == OUTSIDE or not scale > 0:
        return -first, start
    found = minimize(lambda p: tuple(v / scale for v in cost(p)), np.zeros(n), jac=True, method="L-BFGS-B",
                     options={"maxiter": STEPS, "maxls": 12, "ftol": 1e-7, "gtol": 1e-3})
    matrix = start @ motion(family, found.x, space.centre, space.radius)[0]
    value = like.of(matrix)
    return (value, matrix) if value > -first else (-first, start)


def turned(turn: float, flat: bool) -> list[Array]:
    """Rotation vectors (3,) up to `turn` degrees about each axis, at most `STEP` degrees apart."""
    n = int(np.ceil(turn / STEP - 1e-9))
    angles = np.radians(np.linspace(-turn, turn, 2 * n + 1))
    if flat:
        return [np.array([0.0, 0.0, a]) for a in angles[: len(angles) - (turn >= 180)]]
    return [np.array(v) for v in product(angles, repeat=3)]


def candidates(starts: Sequence[Array], space: Space, family: str, turn: float) -> list[Array]:
    """Maps around each start: turned on a grid, shifted by one step along each axis, and of other sizes."""
    if not turn:
        return list(starts)
    # Maps that turn alike stand together.
    axes = np.eye(3)[: 2 if space.flat else 3] * SHIFT * space.radius
    turns = turned(turn, space.flat) if family != "translation" else [np.zeros(3)]
    sizes = SIZES if family in ("similarity", "affine") else (1.0,)
    out = []
    for start, vector, size, shift in product(starts, turns, sizes, [np.zeros(3), *axes, *-axes]):
        numbers = np.concatenate([shift, vector * space.radius, [np.log(size) * space.radius]])
        out.append(start @ motion("similarity", numbers, space.centre, space.radius)[0])
    return out


def spacings(fixed: Side, moving: Side) -> list[float]:
    """Of the grids, from coarse to fine: each half the one before."""
    k = 0 if fixed.flat else 1
    sizes = fixed.size.max(), moving.size.max()
    own = [min(s.spacing[: 2 if s.flat else 3]) for s in (fixed, moving)]
    fine, coarse = max(*own, max(sizes) / FINEST[k]), min(sizes) / COARSEST[k]
    count = 1 + max(0, int(np.ceil(np.log2(coarse / fine) - 1e-9)))
    return [float(fine * 2**i) for i in reversed(range(count))]


@dataclass(frozen=True)
class Aligned:
    """What was found.

    Parameters
    ----------
    matrix
        float64 (4, 4) from fixed to moving world.
    value, before
        The measure under it, and under the first start (minus infinity where the images hardly meet), on the finest
        grids.
    seen
        Share of the points that show something in the other image.
    apart
        Mean distance between where two halves of the points, each by itself, would bring them, over their spread; found
        on grids no finer than the second.
    """

    matrix: Array
    value: float
    before: float
    seen: float
    apart: float


def aligned(
    fixed: Side, moving: Side, starts: Sequence[Array], *, family: str, measure: str, samples: int, turn: float
) -> Aligned | None:
    """The map of a family under which two images are most alike; None where they do not meet in any start.

    Points are taken from the smaller image. From the best of many turned and shifted starts it climbs, on the coarsest
    grids rigidly, then in the family, on grids of half the spacing each time.

    Parameters
    ----------
    fixed, moving
        Both flat, or neither.
    starts
        float64 (4, 4) from fixed to moving world; the first is what ``before`` is measured under.
    family
        A key of `NUMBERS`.
    measure
        A key of `MEASURES`.
    samples
        Points compared on each grid, at most.
    turn
        Largest turn of a start in degrees; 0: none is turned or shifted, and the family is that of all grids.
    """
    if np.prod(moving.size[moving.size > 0]) < np.prod(fixed.size[fixed.size > 0]):
        found = aligned(moving, fixed, [np.linalg.inv(s) for s in starts], family=family, measure=measure,
                        samples=samples, turn=turn)
        return None if found is None else replace(found, matrix=np.linalg.inv(found.matrix))
    levels = spacings(fixed, moving)
    like = likeness(fixed, moving, measure, levels[0], samples=samples)
    if not len(like.points):
        return None
    space = Space.around(like.points, fixed.flat)
    kept = [m for _, m in space.distinct([(0.0, s) for s in starts])]
    tried = candidates(kept, space, family, turn)
    first = family if not turn or family == "translation" else "rigid"
    every = followed((like, *like.halves(space)), tried, first, space)
    if not all(every):
        return None
    apart = np.inf
    for k, spacing in enumerate(levels):
        if k:
            like = likeness(fixed, moving, measure, spacing, samples=samples, seed=k)
        if k < 2:
            every = [space.distinct([climbed(part, m, family, space) for _, m in found[:KEPT]])
                     for part, found in zip((like, *like.halves(space)), every, strict=True)]
            apart = space.apart(every[1][0][1], every[2][0][1])
        else:
            every[0] = [climbed(like, every[0][0][1], family, space)]
    matrix = every[0][0][1]
    if measure in LAST:
        matrix = climbed(replace(like, measure=LAST[measure]), matrix, family, space)[1]
    value, before = (like.under(m).of(m) for m in (matrix, starts[0]))
    return Aligned(matrix, value, before, like.seen(matrix), apart)


def followed(
    parts: Sequence[Likeness], tried: Sequence[Array], family: str, space: Space
) -> list[list[tuple[float, Array]]]:
    """Where the best of many starts lead, for each of several sets of points, the best first."""
    values, near = np.full((len(parts), len(tried)), -np.inf), None
    few = [part.of_points(slice(FEW)) for part in parts]
    for i, m in enumerate(tried):
        if near is None or not np.array_equal(near, m[:3, :3]):
            near, shown = m[:3, :3], few[0].under(m).shown
            few = [replace(f, shown=shown) for f in few]
        values[:, i] = [f.of(m) for f in few]
    out = []
    for part, own in zip(parts, values, strict=True):
        best = [i for i in np.argsort(-own, kind="stable")[:FOLLOWED] if np.isfinite(own[i])]
        out.append(space.distinct([climbed(part, tried[i], family, space) for i in best]))
    return out
