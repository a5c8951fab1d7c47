"""How much each fact moved an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Contributions:
    """A share of one answer for each fact; together they are the answer minus the base.

    Of ``"drop-one"`` each is the change when that one alone is taken away, and they need not add up; of
    ``"attributes"`` the base is the answer where each is at the mean of train.

    Parameters
    ----------
    items
        Name of the fact to what it added (positive) or took away, in the unit of the answer.
    target
        The class or number explained.
    base
        The answer when no fact is known.
    answer
        The answer with all of them.
    method
        ``"shapley"``; ``"drop-one"``: of whole modalities, in log-odds; or ``"attributes"``: of a linear model of
        attributes, in log-odds before calibration.
    errors
        Standard error of each share where it was sampled; empty where it is exact.
    """

    items: Mapping[str, float]
    target: str
    base: float
    answer: float
    method: str
    errors: Mapping[str, float] = field(default_factory=dict)
