"""One question that was put to one bundle about one image of a patient, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from isocenter.report.run import Picture

# What came of it; only the first is an answer.
ANSWERED, REFUSED, NOT_ASKED = "answered", "refused", "not asked"


@dataclass(frozen=True)
class Known:
    """How far an answer can be trusted, as far as its bundle honestly knows.

    Parameters
    ----------
    text
        What the interval is of and where it comes from; or that none is known.
    low, high, level
        The interval where it is two numbers; else None.
    n
        Cases that it rests on; None where that is not known.
    """

    text: str
    low: float | None = None
    high: float | None = None
    level: float | None = None
    n: int | None = None


@dataclass(frozen=True, eq=False)
class Asked:
    """A question to a bundle.

    Parameters
    ----------
    bundle, method
        Its name, and its method as ``TASK/METHOD``.
    question
        What it was asked.
    image
        The case's identifier and role; printed as a keyed code.
    status
        ``"answered"``, ``"refused"`` (it lies outside the envelope, or cannot be answered), ``"not asked"``.
    why
        Of everything that is no answer.
    answer
        In words.
    probability
        Of the decision; None where the answer is no decision.
    known
        The interval; None of what is no answer.
    values
        The answer's numbers by name.
    files
        What was written, relative to the folder.
    picture
        The answer drawn; may be None.
    """

    bundle: str
    method: str
    question: str
    image: str
    status: str
    why: str = ""
    answer: str = ""
    probability: float | None = None
    known: Known | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    picture: Picture | None = None
