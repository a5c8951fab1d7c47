"""Labels shuffled as the groups of the data allow, and the p value of a score among those of shuffled labels.

Sources: Ojala, Garriga, Permutation tests for studying classifier performance, J. Mach. Learn. Res. 11 (2010) 1833;
Phipson, Smyth, Permutation p-values should never be zero, Stat. Appl. Genet. Mol. Biol. 9 (2010) 39; Winkler et al.,
Multi-level block permutation, NeuroImage 123 (2015) 253 (what may be exchanged).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isocenter.ops.array import Array


def shuffled(y: Array, groups: Array, rng: np.random.Generator) -> Array:
    """Classes (n, k) in another order that is as likely if they mean nothing.

    Parameters
    ----------
    y
        One row a case.
    groups
        int (n,): cases of one number belong together.
    rng
        Where chance comes from.

    Returns
    -------
    Rows exchanged within groups where a group holds different rows. Where every group is of one kind its cases keep
    together: the kinds are dealt anew to the groups.
    """
    out = y.copy()
    members = [np.flatnonzero(groups == g) for g in np.unique(groups)]
    if any((y[m] != y[m[0]]).any() for m in members):
        for m in members:
            out[m] = y[rng.permutation(m)]
        return out
    for m, other in zip(members, rng.permutation(len(members)), strict=True):
        out[m] = y[members[other][0]]
    return out


def permutation_p(score: float, null: Sequence[float]) -> float:
    """Share of scores that are no less than the true one, which is itself counted: never 0.

    >>> permutation_p(0.9, [0.5, 0.6, 0.4])
    0.25
    """
    return (1 + sum(s >= score - 1e-12 for s in null)) / (1 + len(null))
