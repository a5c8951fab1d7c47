"""Tests on differences that stand on their own: Wilcoxon, McNemar, Holm."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import bdtr

from isocenter.ops.array import Array

# Two differences closer than this share of the largest are one value: rounding must not break ties.
ROUNDING = 1e-12


def wilcoxon(differences: Array) -> float | None:
    """Two-sided p of Wilcoxon's signed-rank test.

    Zeros are left out (Wilcoxon's own rule). Exact up to 50 differences without ties, else normal with correction for
    ties. All zero: 1. None for no difference at all.

    Source: Wilcoxon, Biometrics Bulletin 1945.

    Parameters
    ----------
    differences
        (n,) one per group, finite.
    """
    if not len(differences):
        return None
    from scipy.stats import wilcoxon as test

    scale = float(np.abs(differences).max())
    if scale == 0:
        return 1.0
    rounded = np.round(differences / scale, 11)
    kept = rounded[rounded != 0]
    ties = len(np.unique(np.abs(kept))) < len(kept)
    return float(test(kept, method="exact" if len(kept) <= 50 and not ties else "asymptotic").pvalue)


def mcnemar(a: Array, b: Array) -> float:
    """Two-sided exact p of McNemar's test: do two methods err on equally many cases that the other gets right?

    Source: McNemar, Psychometrika 1947; the exact binomial form.

    Parameters
    ----------
    a, b
        (n,) bool: whether each method was right.

    >>> mcnemar(np.array([1, 1, 1, 0], bool), np.array([0, 0, 0, 0], bool))
    0.25
    """
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    n = only_a + only_b
    return 1.0 if n == 0 else float(min(1.0, 2 * bdtr(min(only_a, only_b), n, 0.5)))


def holm(ps: Sequence[float | None]) -> list[float | None]:
    """Holm's correction of a family of p values; None stays None and is not counted.

    Source: Holm, Scandinavian Journal of Statistics 1979.

    >>> holm([0.01, None, 0.04, 0.03])
    [0.03, None, 0.06, 0.06]
    """
    known = sorted((p, i) for i, p in enumerate(ps) if p is not None)
    out: list[float | None] = [None] * len(ps)
    highest = 0.0
    for rank, (p, i) in enumerate(known):
        highest = max(highest, min(1.0, p * (len(known) - rank)))
        out[i] = highest
    return out
