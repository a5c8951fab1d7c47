"""Which lesion of one examination is which of the next: by overlap first, then by distance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isocenter.ops.array import Array
from isocenter.ops.linking import cheapest

# Share of the smaller of two lesions in the other from which they may be the same one.
TOUCH = 0.1
# Share of a lesion in another from which it is a piece of it (split), or has been taken in by it (merged).
PIECE = 0.3
# Lesions of one place whose sizes differ by more are two.
RATIO = 8.0


@dataclass(frozen=True, eq=False)
class Links:
    """Which lesions belong together.

    Parameters
    ----------
    same
        int64 (k, 2): before and after; no lesion is in two.
    pieces
        int64 (k, 2): lesions before that have a further piece after.
    joined
        int64 (k, 2): lesions before that a lesion after has taken in, which is another one's.
    """

    same: Array
    pieces: Array
    joined: Array


def linked(shared: Array, before: Array, after: Array, distances: Array, *, reach: float) -> Links:
    """Matches the lesions of two examinations that lie in one world.

    Lesions that overlap are matched first, so that the sum of their overlaps (intersection over union) is greatest;
    what is left over and lies in a matched one is a piece of it, or has joined it. What overlaps nothing is matched
    by distance, within `reach` and where sizes agree to a factor of 8, so that the sum of the distances is least.

    Parameters
    ----------
    shared
        float64 (n, m): size that a lesion before and one after share.
    before, after
        float64 (n,), (m,): their sizes in the same unit.
    distances
        float64 (n, m): between their middles; infinite where they cannot be the same (another class).
    reach
        Largest distance.
    """
    n, m = shared.shape
    possible = np.isfinite(distances)
    smaller = np.minimum(before[:, None], after[None])
    share = np.where(possible, shared / np.maximum(smaller, 1e-12), 0.0)
    together = shared / np.maximum(before[:, None] + after[None] - shared, 1e-12)
    same = _paired(1.0 - np.clip(together, 0, 1), share >= TOUCH, 1.0 + 1e-9)
    free_before, free_after = np.ones(n, bool), np.ones(m, bool)
    free_before[same[:, 0]], free_after[same[:, 1]] = False, False
    pieces = [(int(np.argmax(share[:, j])), j) for j in map(int, np.flatnonzero(free_after))
              if n and _within(shared[:, j], after[j], share[:, j], ~free_before)]
    joined = [(i, int(np.argmax(share[i]))) for i in map(int, np.flatnonzero(free_before))
              if m and _within(shared[i], before[i], share[i], ~free_after)]
    free_after[[j for _, j in pieces]] = False
    free_before[[i for i, _ in joined]] = False
    sizes = np.maximum(before[:, None], after[None]) <= RATIO * smaller
    near = possible & (distances <= reach) & sizes & free_before[:, None] & free_after[None]
    far = _paired(np.where(possible, distances, 0.0) / max(reach, 1e-12), near, 1.0 + 1e-9)
    return Links(np.concatenate([same, far]), _table(pieces), _table(joined))


def _within(shared: Array, own: float, share: Array, taken: Array) -> bool:
    """Whether enough of a lesion lies in the one that it overlaps most, and that one is matched."""
    most = int(np.argmax(share))
    return bool(share[most] > 0 and taken[most] and shared[most] >= PIECE * own)


def _paired(costs: Array, allowed: Array, alone: float) -> Array:
    rows, columns = np.nonzero(allowed)
    kept = cheapest(rows, columns, np.asarray(costs[rows, columns], float), alone)
    return np.stack([rows[kept], columns[kept]], axis=1).astype(np.int64).reshape(-1, 2)


def _table(pairs: list[tuple[int, int]]) -> Array:
    return np.asarray(pairs, np.int64).reshape(-1, 2)
