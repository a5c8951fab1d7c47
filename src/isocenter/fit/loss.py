"""Which loss a segmenting network minimises, from the recipe and the fingerprint."""

from __future__ import annotations

import math
from typing import Any

from isocenter.fit.fingerprint import Fingerprint
from isocenter.nets.losses import USUAL, parts_of

# From where a fingerprint speaks for another loss than the usual one: width over that of a ball of the same size, by
# axes, a tube some 80 times as long as wide (vessels of a fundus: 0.04, organs and lesions: 0.7 to 0.9); share of the
# pixels; pixels of the commonest over the rarest region.
THIN, TINY, UNEVEN = {2: 0.2, 3: 0.3}, 0.005, 20.0


def loss_name(recipe: Any, fp: Fingerprint, origins: dict[str, str]) -> str:
    """The terms, joined by ``+``.

    The plan takes overlap and cross-entropy throughout (Isensee et al., Nature Methods 2021). Where the fingerprint
    speaks for another loss, the reason names it and says what was seen when it was tried, for whoever wants to set it:
    clDice on held-out children of retina-chase-db1, Tversky on val of cardiac-mr-sunnybrook, some hundred steps each.

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
    share, thinnest = share_of(fp), min(fp.thickness.values(), default=0.0)
    said = f"regions hold {share:.3%} of the pixels and are {thinnest:.3g} px across at the thinnest"
    origins["loop.loss"] = "; ".join([f"fingerprint: {said}: overlap and cross-entropy", *spoken_for(fp)])
    return USUAL


def spoken_for(fp: Fingerprint) -> list[str]:
    """What else the fingerprint speaks for, each with what was seen on val where it was tried."""
    found = []
    widths = slenderness(fp)
    thin = min(widths, key=widths.__getitem__, default="")
    if thin and widths[thin] < THIN[fp.rank]:
        found.append(
            f"{thin} is long and thin ({widths[thin]:.2g} of the width of a ball of its size): "
            "form.loss=dice+cross_entropy+cldice followed centre lines better in short trainings on vessels, but its "
            "gain in Dice was not beyond chance, so it is not chosen unasked"
        )
    share = share_of(fp)
    if share < TINY:
        found.append(
            f"regions hold less than {TINY:.1%}: form.loss=tversky+cross_entropy is meant for it; tried briefly, it "
            "gained nothing on regions of 1.3%, and there was no set of smaller ones"
        )
    pixels = [v for n, v in fp.counts.items() if n != fp.classes[0] and v]
    if len(pixels) > 2 and max(pixels) > UNEVEN * min(pixels):
        found.append(
            f"regions differ {max(pixels) / min(pixels):.0f}-fold in size: form.loss=generalised_dice+cross_entropy is "
            "meant for it and was not tried for want of such a set"
        )
    return found


def share_of(fp: Fingerprint) -> float:
    """Of all pixels, those of any region."""
    return sum(v for n, v in fp.counts.items() if n != fp.classes[0]) / max(1, sum(fp.counts.values()))


def slenderness(fp: Fingerprint) -> dict[str, float]:
    """Region to its width over that of a ball of the same size: 1 for a ball, near 0 for tubes and many small parts.

    Sizes are means over all training cases.
    """
    found = {}
    for name, width in fp.thickness.items():
        size = fp.counts.get(name, 0) / max(1, fp.n)
        ball = math.sqrt(4 * size / math.pi) if fp.rank == 2 else (6 * size / math.pi) ** (1 / 3)
        if ball > 0:
            # Of a ball, twice the size over the surface is its width by the number of axes.
            found[name] = fp.rank * width / ball
    return found
