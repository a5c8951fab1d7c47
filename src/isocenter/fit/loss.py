"""Which loss a segmenting network minimises, from the recipe and the fingerprint."""

from __future__ import annotations

from typing import Any

from isocenter.fit.fingerprint import Fingerprint
from isocenter.nets.losses import USUAL, parts_of


def loss_name(recipe: Any, fp: Fingerprint, origins: dict[str, str]) -> str:
    """The terms, joined by ``+``.

    Parameters
    ----------
    recipe
        Its field ``loss``, or that of its ``form``; None means that the plan decides.
    fp
        Of the training cases.
    origins
        Receives the reason.

    Raises
    ------
    RecipeError
        An unknown term.
    """
    asked: str | None = getattr(getattr(recipe, "form", recipe), "loss", None)
    origins["loop.loss"] = "default" if asked is None else "recipe"
    return USUAL if asked is None else "+".join(parts_of(asked))
