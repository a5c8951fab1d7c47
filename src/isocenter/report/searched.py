"""What a search over recipes tried, as a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Searched:
    """The trials of a search.

    Parameters
    ----------
    trials
        One mapping a trial, in order: ``trial``, ``score`` (on val, higher is better; None where it failed),
        ``seconds``, ``lack`` (why it failed, or ""), ``values`` (field to value).
    best
        Number of the trial that is kept.
    score
        What the score is, such as ``"dice all"``.
    importance
        Field to the share of the variance of the scores that it explains by itself; may be empty.
    ranges
        Field to the values that were searched, in words.
    """

    trials: Sequence[Mapping[str, object]]
    best: int
    score: str
    importance: Mapping[str, float]
    ranges: Mapping[str, str]
