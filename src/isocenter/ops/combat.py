"""ComBat: takes what a site or device adds to features, and how far it spreads them, out of a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from isocenter.errors import InputError
from isocenter.ops.array import Array

# The prior's iteration ends when nothing moves by more than this share; most rounds.
STILL, ROUNDS = 1e-4, 1000
# A feature whose spread is below this share of its size does not vary.
FLAT = 1e-9


@dataclass(frozen=True, eq=False)
class Combat:
    """For every site a straight line of each feature: value times `gain` plus `shift`.

    Parameters
    ----------
    gain, shift
        float64 (sites, d).
    """

    gain: Array
    shift: Array

    def applied(self, x: Array, site: Array) -> Array:
        """float64 (n, d): features (n, d) of sites (n,), which are indices, as if one site had measured them all."""
        return np.asarray(np.asarray(x, np.float64) * self.gain[site] + self.shift[site])


def combat(x: Array, site: Array, covariates: Array | None = None) -> Combat:
    """The lines that take the sites out of a table, learnt from it.

    A linear model gives each feature the shift of its site beside what covariates explain; what is left over gives its
    spread. Shifts and spreads of a site are drawn towards those of its other features (empirical Bayes, parametric
    priors). Covariates keep what differs between sites for a reason, such as more sick people in one of them; the lines
    themselves need none, so that they can be applied where the covariates are not known.

    Sources: Johnson, Li, Rabinovic, Biostatistics 8 (2007) 118; Fortin et al., NeuroImage 167 (2018) 104.

    Parameters
    ----------
    x
        (n, d) features.
    site
        (n,) whole numbers from 0.
    covariates
        (n, k) what shall stay, such as zeros and ones of a class; None: nothing but the mean.

    Raises
    ------
    InputError
        One site only, or a site with fewer than 2 cases; or covariates tell the sites apart by themselves.
    """
    x, site = np.asarray(x, np.float64), np.asarray(site, int)
    counts = np.bincount(site)
    if len(counts) < 2 or counts.min() < 2:
        raise InputError("sites are told apart by two cases of each of two sites", got=str(counts.tolist()),
                         wanted="at least 2 sites of 2 cases")
    sites = np.eye(len(counts))[site]
    kept = np.empty((len(x), 0)) if covariates is None else np.asarray(covariates, np.float64)
    # Whatever is the same in all cases belongs to the mean.
    kept = kept[:, kept.std(axis=0) > 0] if len(kept) else kept
    design = np.hstack([sites, kept])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise InputError("what shall stay cannot be told from the sites", got=f"{len(counts)} sites",
                         remedy="Each site needs cases of more than one kind")
    found = np.linalg.lstsq(design, x, rcond=None)[0]
    mean = counts @ found[: len(counts)] / len(x)
    spread = np.sqrt(((x - design @ found) ** 2).mean(axis=0))
    varies = spread > FLAT * np.maximum(1.0, np.abs(mean))
    spread = np.where(varies, spread, 1.0)
    z = (x - mean - kept @ found[len(counts) :]) / spread
    moved, scale = np.zeros((2, len(counts), x.shape[1]))
    scale += 1.0
    for s in range(len(counts)):
        moved[s, varies], scale[s, varies] = _drawn(z[site == s][:, varies])
    root = np.sqrt(scale)
    return Combat(1.0 / root, mean - (mean + spread * moved) / root)


def _drawn(z: Array) -> tuple[Array, Array]:
    """Shift and squared scale (d,) of one site's standardised features (n, d), drawn towards their common prior."""
    n, d = z.shape
    shift, square = z.mean(axis=0), z.var(axis=0, ddof=1)
    if d < 2:
        return shift, np.maximum(square, FLAT)
    middle, wide = shift.mean(), shift.var(ddof=1)
    m, v = square.mean(), max(float(square.var(ddof=1)), 1e-30)
    a, b = (2 * v + m * m) / v, (m * v + m**3) / v
    g, q = shift, np.maximum(square, FLAT)
    for _ in range(ROUNDS):
        new = (n * wide * shift + q * middle) / (n * wide + q)
        left = ((z - new) ** 2).sum(axis=0)
        newer = (0.5 * left + b) / (n / 2 + a - 1)
        change = max(_change(new, g), _change(newer, q))
        g, q = new, newer
        if change < STILL:
            break
    return g, q


def _change(new: Array, old: Array) -> Any:
    return np.max(np.abs(new - old) / np.maximum(np.abs(old), 1e-12))
