"""How well a distance tells images of another kind from those that a method was made for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import numpy as np

from isocenter.data import CaseScore, Score
from isocenter.errors import InputError
from isocenter.metrics.by_case import ALL
from isocenter.metrics.classify import share
from isocenter.metrics.metric import Estimate, Metric
from isocenter.metrics.ranking import auc_interval, weighted_auc
from isocenter.metrics.resample import groups_of
from isocenter.metrics.summary import Sampling, scored, settled

AUROC = "ood_auroc"
REFUSED, FALSELY = "refused_outside", "refused_inside"


def told_apart(
    inside: Sequence[tuple[str, float]], outside: Sequence[tuple[str, float]], **sampling: Unpack[Sampling]
) -> dict[str, Score]:
    """AUROC of distances, and the shares that lie beyond the limit.

    Parameters
    ----------
    inside, outside
        Group and distance of each image, the distance as a share of the limit; infinite where something else refuses
        it. Images of one group are resampled together.
    **sampling
        As in `isocenter.metrics.summarise`.

    Returns
    -------
    dict
        ``ood_auroc``: chance that an image from outside is farther than one from inside, ties one half.
        ``refused_outside``, ``refused_inside``: shares beyond the limit; the latter are false refusals.

    Raises
    ------
    InputError
        One side holds no image.
    """
    if not inside or not outside:
        raise InputError("nothing to tell apart", got=f"{len(inside)} inside, {len(outside)} outside",
                         wanted="at least 1 each")
    every = [("in", *one) for one in inside] + [("out", *one) for one in outside]
    cases = [CaseScore(f"{i}", f"{side} {group}", {}) for i, (side, group, _) in enumerate(every)]
    foreign = np.array([side == "out" for side, _, _ in every])
    away = np.array([distance for _, _, distance in every], float)
    rank, beyond = np.where(np.isinf(away), np.finfo(float).max, away), away > 1
    groups = groups_of(cases)
    rarer = min(len(np.unique(groups[foreign])), len(np.unique(groups[~foreign])))

    def exact(level: float) -> tuple[float, float]:
        return auc_interval(rank, foreign, level)

    whole = np.ones(len(every), bool)
    found = {
        AUROC: Estimate(weighted_auc(rank, foreign), whole, exact=exact, logit=True, rarer=rarer),
        REFUSED: share(beyond, foreign), FALSELY: share(beyond, ~foreign),
    }
    how = settled(sampling)
    return {key: scored(_metric(key), {ALL: one}, cases, how)[ALL] for key, one in found.items()}


def _metric(key: str) -> Metric:
    better = "lower" if key == FALSELY else "higher"
    return Metric(key, "", better, (0.0, 1.0), "", "", lambda *_: None, lambda *_: {})
