"""Dividing cases by group: stratified, seeded, as even as groups allow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from isocenter.data import SPLITS, Cases
from isocenter.errors import InputError, UsageError
from isocenter.ops.array import Array

# Orders in which groups are dealt out; the most even result is kept.
TRIES = 32


def divide(
    cases: Cases, *, test: float = 0.2, val: float = 0.1, folds: int | None = None, seed: int = 0
) -> Cases:
    """The cases with new splits: no group on two sides, classes in the same shares everywhere.

    Parameters
    ----------
    test, val
        Shares of the cases, 0 to 1; the rest is train.
    folds
        Instead: that many parts of one size, named ``"fold1"``, ``"fold2"`` ...
    seed
        Of the order in which groups are dealt out.

    Raises
    ------
    UsageError
        Shares that leave nothing for train, or fewer than 2 folds.
    InputError
        Fewer groups than parts.
    """
    shares = _shares(test, val, folds)
    mine = [i for i, e in enumerate(cases.entries) if e.split in ("", *SPLITS) or e.split.startswith("fold")]
    groups, rows, weights = _table(cases, mine)
    if len(rows) < len(shares):
        raise InputError(
            "too few groups to divide", where=cases.name, got=f"{len(rows)} groups of {len(mine)} cases",
            wanted=f"at least {len(shares)}", remedy="Bring more patients, or ask for fewer parts",
        )
    names = list(shares)
    part = _dealt(rows, weights, np.array([shares[n] for n in names]), seed)
    chosen = {i: names[part[g]] for i, g in zip(mine, groups, strict=True)}
    return cases.with_splits([chosen.get(i, e.split) for i, e in enumerate(cases.entries)])


def kfold(cases: Cases, k: int | str, *, seed: int = 0) -> Iterator[tuple[Cases, Cases]]:
    """Pairs (train, held out): every case is held out once, together with its group.

    Parameters
    ----------
    k
        Number of parts, or ``"subject"``: each group once.

    Raises
    ------
    UsageError, InputError
        As `divide`.
    """
    if k == "subject":
        parts = list(cases.groups)
    elif isinstance(k, int):
        parts = [e.split for e in divide(cases.with_splits([""] * len(cases)), folds=k, seed=seed).entries]
    else:
        raise UsageError("not a number of folds", got=str(k), wanted="a number of at least 2, or 'subject'")
    if len(set(parts)) < 2:
        raise InputError("one group cannot be held out from itself", where=cases.name, got="1 group")
    for name in dict.fromkeys(parts):
        out = [i for i, p in enumerate(parts) if p == name]
        rest = [i for i, p in enumerate(parts) if p != name]
        yield cases.subset(rest), cases.subset(out)


def _shares(test: float, val: float, folds: int | None) -> dict[str, float]:
    if folds is not None:
        if folds < 2:
            raise UsageError("too few folds", got=str(folds), wanted="at least 2")
        return {f"fold{i + 1}": 1 / folds for i in range(folds)}
    if not (0 <= test < 1 and 0 <= val < 1 and test + val < 1):
        raise UsageError("shares that leave nothing for train", got=f"test {test}, val {val}", wanted="a sum below 1")
    return {k: v for k, v in (("train", 1 - test - val), ("val", val), ("test", test)) if v > 0}


def _table(cases: Cases, mine: Sequence[int]) -> tuple[list[int], Array, Array]:
    """Group of each case; (groups, strata) counts of cases; weight of each stratum.

    Strata: each class, and all cases together. A rare class weighs as much as a common one.
    """
    names = list(dict.fromkeys(cases.groups[i] for i in mine))
    number = {name: n for n, name in enumerate(names)}
    labels = sorted({label for i in mine for label in cases.entries[i].labels})
    column: Mapping[str, int] = {label: c for c, label in enumerate(labels, 1)}
    groups = [number[g] for g in (cases.groups[i] for i in mine)]
    rows = np.zeros((len(names), 1 + len(labels)))
    for i, g in zip(mine, groups, strict=True):
        rows[g, [0, *(column[label] for label in cases.entries[i].labels)]] += 1
    total = rows.sum(axis=0)
    return groups, rows, 1.0 / np.maximum(total, 1)


def _dealt(rows: Array, weights: Array, shares: Array, seed: int) -> Array:
    """Part of each group: the most even of several greedy dealings in random order, large groups first."""
    rng = np.random.default_rng(seed)
    best: tuple[float, Array] | None = None
    for _ in range(TRIES):
        order = rng.permutation(len(rows))
        order = order[np.argsort(-rows[order, 0], kind="stable")]
        part = _greedy(rows, weights, shares, order)
        held = np.stack([rows[part == p].sum(axis=0) for p in range(len(shares))])
        cost = float((((held - shares[:, None] * rows.sum(axis=0)) * weights) ** 2).sum())
        # A part without any group is no part.
        cost += 1e6 * sum(not (part == p).any() for p in range(len(shares)))
        if best is None or cost < best[0] - 1e-12:
            best = cost, part
    assert best is not None
    return _none_empty(best[1], rows, shares)


def _greedy(rows: Array, weights: Array, shares: Array, order: Array) -> Array:
    wanted = shares[:, None] * rows.sum(axis=0)
    held = np.zeros_like(wanted)
    part = np.zeros(len(rows), int)
    for g in order:
        # How much closer to its share each part would come, over all strata.
        before = ((held - wanted) * weights) ** 2
        after = ((held + rows[g] - wanted) * weights) ** 2
        part[g] = int(np.argmin(((after - before) / np.maximum(shares[:, None], 1e-9)).sum(axis=1)))
        held[part[g]] += rows[g]
    return part


def _none_empty(part: Array, rows: Array, shares: Array) -> Array:
    for p in np.argsort(shares):
        if not (part == p).any():
            rich = int(np.argmax(np.bincount(part, minlength=len(shares))))
            of_rich = np.flatnonzero(part == rich)
            part[of_rich[np.argmin(rows[of_rich, 0])]] = p
    return part
