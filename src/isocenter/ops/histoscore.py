"""How strongly objects are stained: grades from optical density, marker-positive share and H-score.

Source: McCarty et al., Use of a monoclonal anti-estrogen receptor antibody in the immunohistochemical evaluation of
human tumors, Cancer Res. 46 (1986) 4244s (the H-score). The thresholds are those from which QuPath starts (0.2, 0.4 and
0.6 of the mean optical density of DAB; Bankhead et al., Sci. Rep. 7 (2017) 16878): a convention, to be set anew for
another scanner or protocol.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isocenter.errors import InputError
from isocenter.ops.array import Array

THRESHOLDS = (0.2, 0.4, 0.6)
GRADES = ("negative", "weak", "moderate", "strong")


@dataclass(frozen=True)
class HistoScore:
    """The staining of a set of objects.

    Parameters
    ----------
    n
        Objects with a grade.
    shares
        Of them, by `GRADES`; they sum to 1.
    """

    n: int
    shares: tuple[float, float, float, float]

    @property
    def positive(self) -> float:
        """Share of objects that are at least weak."""
        return sum(self.shares[1:])

    @property
    def score(self) -> float:
        """1 a percent of weak, 2 a percent of moderate, 3 a percent of strong objects: 0 to 300."""
        return 100.0 * sum(grade * share for grade, share in enumerate(self.shares))


def grades(densities: Array, thresholds: Sequence[float] = THRESHOLDS) -> Array:
    """Grade of each object: int64 (n,), 0 negative, 1 weak, 2 moderate, 3 strong; -1 where the density is not finite.

    Parameters
    ----------
    densities
        float (n,): mean optical density of the marker's dye.
    thresholds
        From weak, moderate and strong on, rising, in optical density (log10).

    Raises
    ------
    InputError
        Not three rising numbers above 0.

    >>> grades(np.array([0.1, 0.2, 0.5, 0.9])).tolist()
    [0, 1, 2, 3]
    """
    limits = np.asarray(thresholds, np.float64)
    if limits.shape != (3,) or not np.isfinite(limits).all() or limits[0] <= 0 or (np.diff(limits) <= 0).any():
        raise InputError("not thresholds of staining", got=str(list(thresholds)), wanted="3 rising numbers above 0")
    known = np.isfinite(densities)
    return np.where(known, np.searchsorted(limits, np.where(known, densities, 0.0), side="right"), -1)


def histoscore(graded: Array) -> HistoScore | None:
    """The shares of each grade among objects; None where none has a grade.

    >>> histoscore(np.array([0, 1, 2, 3])).score
    150.0
    """
    counts = np.bincount(graded[graded >= 0], minlength=4)
    n = int(counts.sum())
    if not n:
        return None
    negative, weak, moderate, strong = (float(c) / n for c in counts)
    return HistoScore(n, (negative, weak, moderate, strong))
