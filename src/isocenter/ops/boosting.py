"""Gradient boosting of regression trees on binned features, for the log loss: trees are arrays of nodes.

Sources: Friedman, Greedy function approximation, Ann. Statist. 29 (2001) 1189; Ke et al., LightGBM, NeurIPS 2017
(histograms of binned features, the leaf of the largest gain is split first); Chen, Guestrin, XGBoost, KDD 2016 (gain
and leaf value of second order).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from isocenter.errors import BundleError, InputError
from isocenter.ops.array import Array
from isocenter.ops.kernel import kernel
from isocenter.ops.logistic import log_loss

# A feature has at most this many bins; the thresholds lie between them.
BINS = 255
# A split must gain more than rounding.
LEAST_GAIN = 1e-9
LEAF = -1


@dataclass(frozen=True)
class Growth:
    """How trees grow.

    Parameters
    ----------
    rate
        What a leaf's value is multiplied by (shrinkage).
    leaves
        Most leaves of a tree.
    smallest
        Least cases of a leaf.
    penalty
        Added to the summed second derivatives of a leaf (L2).
    rounds
        Most trees of each class.
    patience
        Rounds without a smaller log loss on val after which it ends.
    """

    rate: float = 0.1
    leaves: int = 31
    smallest: int = 20
    penalty: float = 0.0
    rounds: int = 500
    patience: int = 20


@dataclass(frozen=True, eq=False)
class Trees:
    """Trees whose values add up to logits.

    Parameters
    ----------
    start
        float64 (k,): logits before the first tree.
    roots
        int32 (rounds, k): first node of each tree; -1: none.
    features
        int32 (m,): feature that a node splits by; -1: a leaf.
    thresholds
        float64 (m,): values up to this go left.
    left, right
        int32 (m,): the children, which come later in the arrays.
    values
        float64 (m,): of a leaf.

    Raises
    ------
    BundleError
        The arrays are no trees: lengths differ, or a child does not come after its parent.
    """

    start: Array
    roots: Array
    features: Array
    thresholds: Array
    left: Array
    right: Array
    values: Array

    def __post_init__(self) -> None:
        m = len(self.features)
        same = all(a.shape == (m,) for a in (self.features, self.thresholds, self.left, self.right, self.values))
        whole = all(a.dtype.kind == "i" for a in (self.roots, self.features, self.left, self.right))
        ok = same and whole and self.roots.ndim == 2 and self.roots.shape[1:] == self.start.shape
        if ok:
            here, split = np.arange(m), self.features >= 0
            ok = all(((child > here) & (child < m))[split].all() for child in (self.left, self.right))
            ok = bool(ok) and self.roots.max(initial=-1) < m and self.features.min(initial=LEAF) >= LEAF
        if not ok:
            raise BundleError("the arrays are no trees", got=f"{m} nodes", wanted="children that follow their parent")

    def logits(self, x: Array) -> Array:
        """float64 (n, k) of features (n, d).

        Raises
        ------
        InputError
            Fewer features than the trees split by.
        """
        x = np.ascontiguousarray(x, np.float64)
        if x.ndim != 2 or x.shape[1] <= self.features.max(initial=LEAF):
            raise InputError("too few features", got=str(x.shape), wanted=f"more than {self.features.max()}")
        out = np.tile(self.start, (len(x), 1)).astype(np.float64)
        children = np.stack([self.left, self.right])
        _walk(out, x, self.roots, self.features, self.thresholds, children, self.values)
        return out

    @property
    def rounds(self) -> int:
        """How many trees each class has."""
        return len(self.roots)


def edges(x: Array) -> list[Array]:
    """Thresholds of each feature of (n, d): between all its values where they are few, else between quantiles."""
    found = []
    for column in x.T:
        values = np.unique(column)
        if len(values) <= BINS:
            found.append((values[:-1] + values[1:]) / 2)
        else:
            found.append(np.unique(np.quantile(column, np.arange(1, BINS) / BINS, method="midpoint")))
    return found


def binned(x: Array, limits: list[Array]) -> Array:
    """uint8 (d, n): number of thresholds below each value."""
    columns = [np.searchsorted(limit, column, side="left") for column, limit in zip(x.T, limits, strict=True)]
    return np.ascontiguousarray(np.stack(columns).astype(np.uint8))


def boosted(
    train: tuple[Array, Array], valid: tuple[Array, Array], growth: Growth, *, several: bool = False,
    report: Callable[[float, float], None] | None = None,
) -> tuple[Trees, list[dict[str, float]]]:
    """Trees of the least log loss on val.

    Parameters
    ----------
    train, valid
        Features (n, d), finite, and classes (n, k), zeros and ones: one 1 a row, or any with `several`.
    growth
        How they grow; the same data give the same trees.
    several
        One sigmoid a column instead of one softmax.
    report
        Called each round with the share of the rounds and the log loss on val.

    Returns
    -------
    trees, history
        Those up to the best round; log loss of train and val of every round.

    Raises
    ------
    InputError
        Shapes differ, a number is not finite, or a class has no case.
    """
    (x, y), (vx, vy) = ((np.asarray(a, np.float64), np.asarray(b, np.float64)) for a, b in (train, valid))
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y) or not np.isfinite(x).all() or (y.sum(axis=0) == 0).any():
        raise InputError("boosting needs finite features (n, d) and (n, k) classes, each with a case",
                         got=f"{x.shape}, {y.shape}")
    # Two exclusive classes are one column, and one tree a round.
    one = y.shape[1] == 2 and not several
    forest = _Forest(x, growth, _priors(y, several))
    scores, seen = np.tile(forest.start, (len(x), 1)), np.tile(forest.start, (len(vx), 1))
    history, best = [], (log_loss(seen, vy, several=several), 0)
    for turn in range(growth.rounds):
        slopes, bends = _derivatives(scores, y, several)
        for k in [1] if one else range(y.shape[1]):
            scores[:, k] += forest.grow(slopes[:, k], bends[:, k], turn, k)
        forest.add(seen, vx, turn)
        now = log_loss(seen, vy, several=several)
        history.append({"train_log_loss": log_loss(scores, y, several=several), "valid_log_loss": now})
        if now < best[0]:
            best = (now, turn + 1)
        if report is not None:
            report((turn + 1) / growth.rounds, now)
        if turn + 1 - best[1] >= growth.patience or forest.spent:
            break
    return forest.trees(best[1]), history


def _priors(y: Array, several: bool) -> Array:
    share = np.clip(y.mean(axis=0), 1e-6, 1 - 1e-6)
    # Of exclusive classes the first is the reference.
    return np.asarray(np.log(share / (1 - share)) if several else np.log(share) - np.log(share[0]))


def _derivatives(scores: Array, y: Array, several: bool) -> tuple[Array, Array]:
    """First and second derivatives of the log loss by the logits."""
    if several:
        p = 0.5 * (1.0 + np.tanh(0.5 * scores))
    else:
        raised = np.exp(scores - scores.max(axis=1, keepdims=True))
        p = raised / raised.sum(axis=1, keepdims=True)
    return p - y, p * (1 - p)


class _Forest:
    """Trees that are being grown on one table."""

    def __init__(self, x: Array, growth: Growth, start: Array) -> None:
        self._limits = edges(x)
        self._data = binned(x, self._limits)
        self._bins = np.asarray([len(limit) + 1 for limit in self._limits], np.int64)
        self._growth, self.start = growth, start
        self._roots = np.full((growth.rounds, len(start)), LEAF, np.int32)
        # Feature, threshold, left, right, value of the nodes of each tree.
        self._grown: list[tuple[Array, Array, Array, Array, Array]] = []
        self._nodes = 0
        self.spent = False

    def grow(self, slopes: Array, bends: Array, turn: int, k: int) -> Array:
        """One more tree of class k; what it adds to the logits of train (n,)."""
        how = self._growth
        feature, cut, left, right, value, leaf = _grown(
            self._data, self._bins, np.ascontiguousarray(slopes), np.ascontiguousarray(bends), how.leaves, how.smallest,
            how.penalty,
        )  # fmt: skip
        value *= how.rate
        threshold = np.asarray([self._limits[f][c] if f >= 0 else 0.0 for f, c in zip(feature, cut, strict=True)])
        self._roots[turn, k] = self._nodes
        shift = np.int32(self._nodes)
        self._grown.append((feature, threshold, left + shift, right + shift, value))
        self._nodes += len(feature)
        return np.asarray(value[leaf])

    def add(self, logits: Array, x: Array, turn: int) -> None:
        """Adds what the trees of a round say of features (n, d) to logits (n, k), in place."""
        trees = [i for i, k in enumerate(self._roots[turn]) if k != LEAF]
        # Roots alone would be repeated for ever.
        self.spent = all(len(parts[0]) == 1 for parts in self._grown[-len(trees) :])
        for k, parts in zip(trees, self._grown[-len(trees) :], strict=True):
            one = self._joined([parts], np.zeros((1, 1), np.int32), -int(self._roots[turn, k]))
            logits[:, k] += one.logits(x)[:, 0]

    def trees(self, rounds: int) -> Trees:
        """The trees of the first rounds."""
        roots = self._roots[:rounds]
        count = int((roots != LEAF).sum())
        made = self._joined(self._grown[:count], roots, 0)
        return Trees(self.start, roots, made.features, made.thresholds, made.left, made.right, made.values)

    @staticmethod
    def _joined(parts: list[tuple[Array, Array, Array, Array, Array]], roots: Array, shift: int) -> Trees:
        kinds = (np.int32, np.float64, np.int32, np.int32, np.float64)
        joined = [np.concatenate([p[i] for p in parts]) if parts else np.zeros(0) for i in range(5)]
        feature, threshold, left, right, value = (a.astype(k) for a, k in zip(joined, kinds, strict=True))
        start = np.zeros(roots.shape[1])
        return Trees(start, roots, feature, threshold, left + np.int32(shift), right + np.int32(shift), value)


@kernel
def _walk(
    out: Array, x: Array, roots: Array, features: Array, thresholds: Array, children: Array, values: Array
) -> None:
    for i in range(out.shape[0]):
        for turn in range(roots.shape[0]):
            for k in range(roots.shape[1]):
                node = roots[turn, k]
                if node < 0:
                    continue
                while features[node] >= 0:
                    node = children[0 if x[i, features[node]] <= thresholds[node] else 1, node]
                out[i, k] += values[node]


@kernel
def _split(
    data: Array, bins: Array, g: Array, h: Array, cases: Array, smallest: int, penalty: float
) -> tuple[float, int, int]:
    """Gain, feature and bin of the best split of some cases; gain 0 where there is none."""
    n = len(cases)
    own_g, own_h = g[cases], h[cases]
    all_g, all_h = own_g.sum(), own_h.sum()
    whole = all_g * all_g / (all_h + penalty)
    best, feature, cut = 0.0, -1, -1
    if n < 2 * smallest:
        return best, feature, cut
    sums = np.empty((256, 2), np.float64)
    counts = np.empty(256, np.int64)
    for f in range(data.shape[0]):
        width = bins[f]
        sums[:width] = 0.0
        counts[:width] = 0
        row = data[f]
        for i in range(n):
            b = row[cases[i]]
            sums[b, 0] += own_g[i]
            sums[b, 1] += own_h[i]
            counts[b] += 1
        low_g, low_h, low = 0.0, 0.0, 0
        for b in range(width - 1):
            low_g += sums[b, 0]
            low_h += sums[b, 1]
            low += counts[b]
            high_h = all_h - low_h
            if n - low < smallest:
                break
            # Empty bins add nothing: the first of equal splits is kept.
            if low < smallest or counts[b] == 0 or low_h < 1e-3 or high_h < 1e-3:
                continue
            high_g = all_g - low_g
            gain = low_g * low_g / (low_h + penalty) + high_g * high_g / (high_h + penalty) - whole
            if gain > best:
                best, feature, cut = gain, f, b
    return best, feature, cut


@kernel
def _grown(
    data: Array, bins: Array, g: Array, h: Array, leaves: int, smallest: int, penalty: float
) -> tuple[Array, Array, Array, Array, Array, Array]:
    """Feature, bin, left, right and value of each node, and the leaf of each case."""
    most = 2 * leaves - 1
    feature, cut = np.full(most, -1, np.int32), np.zeros(most, np.int32)
    left, right = np.zeros(most, np.int32), np.zeros(most, np.int32)
    gains, wanted, at = np.zeros(most), np.full(most, -1, np.int32), np.zeros(most, np.int32)
    begin, end = np.zeros(most, np.int64), np.zeros(most, np.int64)
    cases = np.arange(data.shape[1])
    spare = np.empty_like(cases)
    end[0] = data.shape[1]
    gains[0], wanted[0], at[0] = _split(data, bins, g, h, cases, smallest, penalty)
    made = 1
    while made < most:
        node = int(np.argmax(gains[:made]))
        if gains[node] <= LEAST_GAIN:
            break
        # The cases of a node lie together; they are divided in their order.
        low, high, aside = begin[node], begin[node], 0
        row = data[wanted[node]]
        for i in range(begin[node], end[node]):
            if row[cases[i]] <= at[node]:
                cases[low] = cases[i]
                low += 1
            else:
                spare[aside] = cases[i]
                aside += 1
        high = low
        for i in range(aside):
            cases[high] = spare[i]
            high += 1
        feature[node], cut[node], left[node], right[node] = wanted[node], at[node], made, made + 1
        gains[node] = 0.0
        begin[made], end[made], begin[made + 1], end[made + 1] = begin[node], low, low, end[node]
        for child in (made, made + 1):
            part = cases[begin[child] : end[child]]
            gains[child], wanted[child], at[child] = _split(data, bins, g, h, part, smallest, penalty)
        made += 2
    values, leaf = np.zeros(made), np.zeros(data.shape[1], np.int64)
    for node in range(made):
        if feature[node] < 0:
            part = cases[begin[node] : end[node]]
            values[node] = -g[part].sum() / (h[part].sum() + max(penalty, 1e-12))
            leaf[part] = node
    return feature[:made], cut[:made], left[:made], right[:made], values, leaf
