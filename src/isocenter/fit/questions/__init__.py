"""What learning must know about each kind of answer: one file a kind, found by its name."""

from __future__ import annotations

import importlib
import pkgutil

from isocenter.errors import RecipeError, nearest
from isocenter.fit.questions.question import Looked, Question, Ready


def known() -> tuple[str, ...]:
    """Names of all kinds of answers."""
    return tuple(m.name for m in pkgutil.iter_modules(__path__) if m.name != "question")


def of(name: str) -> Question:
    """The kind of answer of this name; RecipeError names the nearest.

    Parameters
    ----------
    name
        `Plan.kind`: the plan's head, or its task where it has none.
    """
    if name not in known():
        raise RecipeError(f"nothing learns to answer {name!r}", remedy=nearest(name, known()))
    found: Question = importlib.import_module(f"{__name__}.{name}").QUESTION
    return found


__all__ = ["Looked", "Question", "Ready", "known", "of"]
