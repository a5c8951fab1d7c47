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
    if asked is not None:
        origins["loop.loss"] = "recipe"
        return "+".join(parts_of(asked))
    total = sum(fp.counts.values())
    share = sum(v for n, v in fp.counts.items() if n != fp.classes[0]) / max(1, total)
    thinnest = min(fp.thickness.values(), default=0.0)
    origins["loop.loss"] = (
        f"fingerprint: regions hold {share:.3%} of the pixels and are {thinnest:.3g} px across at the thinnest: "
        "overlap and cross-entropy"
    )
    return USUAL
