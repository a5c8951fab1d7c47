"""Which detection follows which: gated motion model, global assignment, gaps, entry, exit, division and merging.

Frame by frame, so that a film of any length needs the memory of its living tracks alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from isocenter.ops.array import Array
from isocenter.ops.kernel import kernel
from isocenter.ops.near import pairs_within
from isocenter.ops.parting import BALANCE, fell, parted, sized, unlike

NEAREST, VELOCITY = "nearest", "velocity"
# Of the constant-velocity filter, by the variance of a measured position: how much the velocity changes in one unit of
# time, and how little is known of it at first.
WANDER, UNKNOWN = 3.0, 10.0
# Where nobody says how far an object may move: so many times the median step, but at most this share of the median
# distance to the next object, and never less than a pixel or two.
FAST, CROWDED, LEAST = 10.0, 0.7, 2.0
# How much of the scale is kept from frame to frame; after how many the distance to the next object is looked at again.
KEPT, ANEW = 0.8, 10
# What the squared logarithm of a change of size costs, by the squared reach.
SIZE = 0.05
# Of a merger: the size of the whole by the sum of its parts.
WHOLE = (0.7, 1.4)


@dataclass(frozen=True)
class Rules:
    """How detections are linked.

    Parameters
    ----------
    motion
        ``"nearest"``: where the object was; ``"velocity"``: where a constant-velocity Kalman filter sees it.
    reach
        Largest distance from there after one unit of time, in the unit of the points; None: from the film itself.
    gap
        Frames in which an object may be missed before its track ends.
    divide, merge
        Whether objects divide, and merge (which needs sizes).
    """

    motion: str = VELOCITY
    reach: float | None = None
    gap: int = 2
    divide: bool = True
    merge: bool = False


def cheapest(rows: Array, columns: Array, costs: Array, alone: float) -> Array:
    """The pairs of the cheapest assignment in which a row may stay alone.

    The sum of the costs of the pairs and of `alone` for every row without a pair is least, over the whole table at
    once. Solved sparsely: the paths end where nobody else is in the way.

    Source: Jaqaman et al., Nature Methods 2008; Jonker and Volgenant, Computing 1987.

    Parameters
    ----------
    rows, columns
        int64 (k,): the pairs that are allowed, each once.
    costs
        float64 (k,), 0 and more.
    alone
        Cost of a row without a pair.

    Returns
    -------
    int64 (j,): positions of the chosen pairs, increasing; no row and no column is in two.
    """
    worth = np.flatnonzero(costs < alone)
    if not len(worth):
        return worth
    worth = worth[np.argsort(rows[worth], kind="stable")]
    start = np.zeros(int(rows[worth[-1]]) + 2, np.int64)
    np.cumsum(np.bincount(rows[worth], minlength=len(start) - 1), out=start[1:])
    second = np.asarray(columns[worth], np.int64)
    taken = _augmented(start, second, np.asarray(costs[worth], np.float64), int(second.max()) + 1, float(alone))
    return np.asarray(np.sort(worth[taken[taken >= 0]]))


@kernel
def _augmented(start: Array, column: Array, cost: Array, m: int, alone: float) -> Array:
    """The pair that each row takes, -1 for none: one shortest augmenting path a row, over the pairs that there are."""
    n = len(start) - 1
    # Each row has a column of its own, m + row, to stay alone in.
    owner, price = np.full(m + n, -1), np.zeros(m + n)
    far, came, by = np.full(m + n, np.inf), np.full(m + n, -1), np.full(m + n, -1)
    final = np.zeros(m + n, np.bool_)
    seat, pair, paid = np.full(n, -1), np.full(n, -1), np.zeros(n)
    met = np.empty(m + n, np.int64)
    for r in range(n):
        i, base, off, count = r, 0.0, 0.0, 0
        while True:
            for e in range(start[i], start[i + 1] + 1):
                mine = e == start[i + 1]
                j = m + i if mine else column[e]
                length = base + (alone if mine else cost[e]) - price[j] - off
                if not final[j] and length < far[j]:
                    if far[j] == np.inf:
                        met[count] = j
                        count += 1
                    far[j], came[j], by[j] = length, i, -1 if mine else e
            end = -1
            for k in range(count):
                if not final[met[k]] and (end < 0 or far[met[k]] < far[end]):
                    end = met[k]
            if owner[end] < 0:
                break
            final[end] = True
            i, base = owner[end], far[end]
            off = paid[i] - price[end]
        least = far[end]
        for k in range(count):
            if final[met[k]]:
                price[met[k]] += far[met[k]] - least
        while True:
            i = came[end]
            before = seat[i]
            seat[i], pair[i], owner[end] = end, by[end], i
            paid[i] = alone if by[end] < 0 else cost[by[end]]
            if i == r:
                break
            end = before
        for k in range(count):
            far[met[k]], final[met[k]] = np.inf, False
    return pair


@dataclass(eq=False)
class _Alive:
    """The tracks that may go on: one row each."""

    number: Array
    place: Array
    speed: Array
    # Variances of place and speed and what they share, by the variance of a measurement; the same on all axes.
    doubt: Array
    size: Array
    seen: Array
    missed: Array
    points: Array
    # When and from which size it last fell to what a daughter may have, and where it would have been; NaN where it did
    # not.
    cut: Array

    def chosen(self, which: Array) -> _Alive:
        return _Alive(*(getattr(self, name)[which] for name in self.__dataclass_fields__))

    def joined(self, *others: _Alive) -> _Alive:
        return _Alive(*(np.concatenate([getattr(a, n) for a in (self, *others)]) for n in self.__dataclass_fields__))


@dataclass(frozen=True, eq=False)
class _Frame:
    """What was detected in a frame, and how far objects may have come."""

    points: Array
    sizes: Array
    time: float
    reach: float


def _born(numbers: Array, places: Array, sizes: Array, time: float) -> _Alive:
    n = len(numbers)
    doubt = np.tile([1.0, 0.0, UNKNOWN], (n, 1))
    return _Alive(numbers, places, np.zeros(places.shape), doubt, sizes, np.full(n, time), np.zeros(n, np.int64),
                  np.ones(n, np.int64), np.full((n, places.shape[1] + 2), np.nan))


@dataclass(eq=False)
class Linker:
    """Gives every detection of a film the number of its track, frame by frame.

    Parameters
    ----------
    rules
        How.

    `parents` holds (child, parent) and `merges` (ended, into) of what was seen so far. A daughter that is missed at
    first is known late: `renamed` then holds (mother, time, child): the mother's points from that time on are the other
    daughter's.
    """

    rules: Rules = Rules()
    parents: list[tuple[int, int]] = field(default_factory=list)
    merges: list[tuple[int, int]] = field(default_factory=list)
    renamed: list[tuple[int, float, int]] = field(default_factory=list)
    _alive: _Alive | None = None
    _next: int = 1
    _scale: float | None = None
    _crowd: float = np.inf
    _seen: int = 0

    def step(self, points: Array, time: float, sizes: Array | None = None) -> Array:
        """The track of each detection of the next frame.

        Parameters
        ----------
        points
            float64 (n, axes): centres, in one unit on all axes.
        time
            Of the frame, later than the last; one frame is one unit.
        sizes
            float64 (n,): areas or volumes; None where there are none.

        Returns
        -------
        int64 (n,): numbers from 1, each at most once.
        """
        points = np.asarray(points, np.float64)
        area = np.full(len(points), np.nan) if sizes is None else np.asarray(sizes, np.float64)
        if self._alive is None:
            numbers = self._fresh(len(points))
            self._alive = _born(numbers, points, area, time)
            return numbers
        before = self._alive
        now = _Frame(points, area, time, self._reach(before, points))
        lasted = time - before.seen
        ahead = before.place + before.speed * lasted[:, None] if self.rules.motion == VELOCITY else before.place
        old, new = self._pairs(before, ahead, now)
        numbers = np.zeros(len(points), np.int64)
        numbers[new] = before.number[old]
        self._learn(np.linalg.norm(points[new] - ahead[old], axis=1), lasted[old])
        seen = before.chosen(old)
        went = self._updated(seen, ahead[old], points[new], area[new], time)
        kept = np.ones(len(before.number), bool)
        kept[old] = False
        numbers, halved = self._divided(seen, ahead[old], now, new, numbers)
        numbers = self._late(went, halved, now, new, numbers)
        kept = self._merged(before, kept, now, (old, new))
        missed = before.chosen(kept & (before.missed < self.rules.gap))
        missed.missed = missed.missed + 1
        numbers[numbers == 0] = self._fresh(int((numbers == 0).sum()))
        first = np.ones(len(points), bool)
        first[new[~halved]] = False
        born = _born(numbers[first], points[first], area[first], time)
        self._alive = (went.chosen(~halved) if halved.any() else went).joined(missed, born)
        return numbers

    def _fresh(self, n: int) -> Array:
        numbers = np.arange(self._next, self._next + n, dtype=np.int64)
        self._next += n
        return numbers

    def _pairs(self, before: _Alive, ahead: Array, now: _Frame) -> tuple[Array, Array]:
        # Who was not seen for longer may have gone farther: variances add up.
        wide = np.sqrt(np.maximum(now.time - before.seen, 1e-9))
        old, new, distance = pairs_within(ahead, now.points, now.reach * float(wide.max(initial=1.0)))
        cost = (distance / wide[old]) ** 2 + SIZE * now.reach**2 * unlike(before.size[old], now.sizes[new])
        best = cheapest(old, new, cost, now.reach**2)
        return old[best], new[best]

    def _reach(self, before: _Alive, points: Array) -> float:
        if self.rules.reach is not None:
            return self.rules.reach
        if len(points) > 1 and (self._crowd == np.inf or self._seen % ANEW == 0):
            self._crowd = _spacing(points)
        self._seen += 1
        if self._scale is None and len(points) and len(before.place):
            self._scale = float(np.median(_nearest(points, before.place)))
        return max(LEAST, min(FAST * (self._scale or 0.0), CROWDED * self._crowd))

    def _learn(self, off: Array, lasted: Array) -> None:
        if len(off) and self.rules.reach is None:
            now = _median(off / np.sqrt(lasted))
            self._scale = now if self._scale is None else KEPT * self._scale + (1 - KEPT) * now

    def _updated(self, old: _Alive, ahead: Array, points: Array, area: Array, time: float) -> _Alive:
        lasted = time - old.seen
        place, speed, doubt = _filtered(old, points, lasted)
        place = place if self.rules.motion == VELOCITY else points
        n = len(points)
        cut = old.cut
        half = np.flatnonzero(fell(old.size, area))
        if len(half):
            cut = cut.copy()
            cut[half, 0], cut[half, 1], cut[half, 2:] = time, old.size[half], ahead[half]
        return _Alive(old.number, place, speed, doubt, area, np.full(n, time), np.zeros(n, np.int64), old.points + 1,
                      cut)

    def _divided(
        self, mothers: _Alive, ahead: Array, now: _Frame, new: Array, numbers: Array
    ) -> tuple[Array, Array]:
        """The numbers with those of daughters, and which of the mothers ended."""
        halved = np.zeros(len(new), bool)
        free = np.flatnonzero(numbers == 0)
        if not self.rules.divide or not len(free) or not len(new):
            return numbers, halved
        mother, child, _ = pairs_within(ahead, now.points[free], 1.5 * now.reach)
        child = free[child]
        off, apart = _between(now.points[new[mother]], now.points[child], ahead[mother])
        near = (mothers.points[mother] >= 2) & (apart <= 2 * now.reach)
        near &= parted(mothers.size[mother], now.sizes[new[mother]], now.sizes[child], off / apart)
        best = cheapest(mother[near], child[near], (off + apart)[near], 10 * now.reach)
        numbers = numbers.copy()
        for m, c in zip(mother[near][best], child[near][best], strict=True):
            numbers[new[m]], numbers[c] = self._daughters(int(mothers.number[m]))
            halved[m] = True
        return numbers, halved

    def _late(self, went: _Alive, halved: Array, now: _Frame, new: Array, numbers: Array) -> Array:
        """The numbers with those of daughters that were missed when their mother divided."""
        free = np.flatnonzero(numbers == 0)
        since = now.time - went.cut[:, 0]
        able = np.flatnonzero(~halved & (since > 0) & (since <= self.rules.gap) & (went.points >= 3))
        if not self.rules.divide or not len(free) or not len(able):
            return numbers
        mother, child, _ = pairs_within(went.cut[able, 2:], now.points[free], 2 * now.reach)
        mother, child = able[mother], free[child]
        off, apart = _between(now.points[new[mother]], now.points[child], went.cut[mother, 2:])
        near = (apart <= 2 * now.reach) & (off <= BALANCE * apart)
        near &= sized(went.cut[mother, 1], now.sizes[new[mother]], now.sizes[child])
        best = cheapest(mother[near], child[near], apart[near], 10 * now.reach)
        numbers = numbers.copy()
        for m, c in zip(mother[near][best], child[near][best], strict=True):
            one, two = self._daughters(int(went.number[m]))
            self.renamed.append((int(went.number[m]), float(went.cut[m, 0]), one))
            numbers[new[m]], numbers[c], went.number[m], went.cut[m] = one, two, one, np.nan
        return numbers

    def _daughters(self, mother: int) -> tuple[int, int]:
        one, two = self._fresh(2).tolist()
        self.parents += [(one, mother), (two, mother)]
        return one, two

    def _merged(self, before: _Alive, kept: Array, now: _Frame, links: tuple[Array, Array]) -> Array:
        """Which of the tracks that were not seen may still come back: those that merged do not."""
        old, new = links
        lost = np.flatnonzero(kept & (before.missed == 0) & (before.points >= 2))
        if not self.rules.merge or not len(lost) or not len(old):
            return kept
        gone, into, distance = pairs_within(before.place[lost], now.points[new], 1.5 * now.reach)
        parts = before.size[lost[gone]] + before.size[old[into]]
        share = np.divide(now.sizes[new[into]], parts, out=np.full(len(parts), np.nan), where=parts > 0)
        near = (share >= WHOLE[0]) & (share <= WHOLE[1])
        best = cheapest(gone[near], into[near], distance[near], 10 * now.reach)
        for g, i in zip(gone[near][best], into[near][best], strict=True):
            self.merges.append((int(before.number[lost[g]]), int(before.number[old[i]])))
            kept[lost[g]] = False
        return kept


def _between(one: Array, two: Array, place: Array) -> tuple[Array, Array]:
    """How far the middle of two points lies from a place, and how far they are apart (above 0)."""
    apart = np.maximum(np.linalg.norm(one - two, axis=1), 1e-9)
    return np.linalg.norm((one + two) / 2 - place, axis=1), apart


def _filtered(old: _Alive, points: Array, lasted: Array) -> tuple[Array, Array, Array]:
    """Place, speed and doubt after a measurement of variance 1: the Kalman filter of white acceleration.

    Source: Bar-Shalom, Li and Kirubarajan, Estimation with Applications to Tracking and Navigation, 2001, section 6.2.
    """
    p, s, v = old.doubt.T
    p = p + 2 * lasted * s + lasted**2 * v + WANDER * lasted**3 / 3
    s = s + lasted * v + WANDER * lasted**2 / 2
    v = v + WANDER * lasted
    ahead = old.place + old.speed * lasted[:, None]
    gain, push = p / (p + 1), s / (p + 1)
    off = points - ahead
    doubt = np.stack([(1 - gain) * p, (1 - gain) * s, v - push * s], axis=1)
    return ahead + gain[:, None] * off, old.speed + push[:, None] * off, doubt


def _median(values: Array) -> float:
    """As numpy's, without looking for what is not finite, which takes longer than the median."""
    low, high = (len(values) - 1) // 2, len(values) // 2
    part = np.partition(values, (low, high))
    return float(part[low] + part[high]) / 2


def _nearest(a: Array, b: Array) -> Array:
    from scipy.spatial import cKDTree

    return np.asarray(cKDTree(b).query(a)[0])


def _spacing(points: Array) -> float:
    """Median distance of each point to the next."""
    from scipy.spatial import cKDTree

    return float(np.median(cKDTree(points).query(points, k=2)[0][:, 1]))
