"""How often a classifier was right when it was as sure as it is now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from isocenter.data import Scores
from isocenter.metrics.resample import groups_of, wilson
from isocenter.metrics.selective import surety

# Fewest cases of a band, and most bands: of less than 20 cases the interval spans half of what is possible.
FEWEST, MOST = 20, 5
LEVEL = 0.95


@dataclass(frozen=True)
class Band:
    """Cases of like confidence.

    Parameters
    ----------
    least, most
        Confidence of the least and of the most sure of them: the probability of the decision.
    n, groups
        Cases and groups.
    right
        Share of right decisions.
    low, high
        Its interval of 95 % (Wilson), in which each group counts once: cases of one patient are not independent.
    """

    least: float
    most: float
    n: int
    groups: int
    right: float
    low: float
    high: float

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {k: round(v, 6) if isinstance(v, float) else v for k, v in asdict(self).items()}


def bands(scores: Scores) -> tuple[Band, ...]:
    """Up to five bands of equal numbers of cases, least sure first; none for fewer than 20 cases.

    None either where nothing was scored by probability, or several labels may hold. Equal confidences stay together.
    """
    found = surety(scores)
    if found is None:
        return ()
    sure, wrong = found
    groups = groups_of(scores.cases)
    out = []
    for rows in _parts(sure):
        n, who = len(rows), len(np.unique(groups[rows]))
        right = float(1 - wrong[rows].mean())
        low, high = wilson(right * who, who, LEVEL)
        out.append(Band(float(sure[rows[0]]), float(sure[rows[-1]]), n, who, right, low, high))
    return tuple(out)


def band_of(confidence: float, known: Sequence[Mapping[str, Any]]) -> Band | None:
    """The band that a new answer of that confidence belongs to, of bands as `Band.as_json`.

    Between two bands it belongs to the less sure one; what is less sure than every case before has none (None).
    """
    below = [one for one in known if one["least"] <= confidence + 1e-6]
    return Band(**{k: below[-1][k] for k in Band.__dataclass_fields__}) if below else None


def _parts(sure: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
    """Rows in order of confidence, in parts that end where it changes."""
    order = np.argsort(sure, kind="stable")
    count = min(MOST, len(order) // FEWEST)
    edges = [0]
    for k in range(1, count):
        end = round(k * len(order) / count)
        while end < len(order) and sure[order[end]] == sure[order[end - 1]]:
            end += 1
        if end - edges[-1] >= FEWEST and len(order) - end >= FEWEST:
            edges.append(end)
    return [order[a:b] for a, b in zip(edges, [*edges[1:], len(order)], strict=True)] if count else []
