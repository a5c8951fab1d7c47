"""Budgets of attacks: shares of the image's range, kept to after rounding too."""

from __future__ import annotations

import numpy as np

from isocenter.data import Image
from isocenter.errors import RecipeError
from isocenter.ops.array import Array

NORMS = ("linf", "l2")
EPSILON = 2 / 255
TEXT = "largest change, a share of the image's range; 1/255 is one grey level of 8 bits"
NORM = "what the budget bounds: linf every pixel, l2 the root of the sum of squares over all pixels and channels"


def within(epsilon: float, norm: str) -> None:
    """RecipeError where a budget leaves the image's range."""
    if norm == "linf" and not 0 <= epsilon <= 1:
        raise RecipeError("epsilon is a share of the image's range", got=f"{epsilon:g}", wanted="0 to 1",
                          remedy="2/255 = 0.00784 allows a change of two grey levels of 8 bits")
    if not epsilon >= 0:
        raise RecipeError("epsilon cannot be below 0", got=f"{epsilon:g}")


def unit_of(image: Image) -> str:
    """The unit of an image's pixels, for people."""
    return image.unit or ("grey levels" if image.dtype in ("uint8", "bool") else "")


def rounded(change: Array, *, norm: str, radius: float, whole: bool) -> Array:
    """A change as a file can hold it, still within the budget.

    Parameters
    ----------
    change
        (c, *grid) float, in the image's unit.
    norm, radius
        The budget, in that unit.
    whole
        Whether pixels are whole numbers. Then changes are rounded: in l-inf never beyond the largest whole number that
        the budget allows, in l2 after shrinking all of them as little as keeps the sum of squares.

    >>> rounded(np.array([[0.4, 1.6, -2.9]]), norm="linf", radius=2.5, whole=True).tolist()
    [[0.0, 2.0, -2.0]]
    """
    if not whole:
        return change
    if norm == "linf":
        limit = np.floor(radius * (1 + 1e-6))
        return np.asarray(np.clip(np.rint(change), -limit, limit))
    allowed = radius * (1 + 1e-6)
    if np.linalg.norm(np.rint(change)) <= allowed:
        return np.asarray(np.rint(change))
    low, high = 0.0, 1.0
    for _ in range(20):
        middle = (low + high) / 2
        fits = np.linalg.norm(np.rint(middle * change)) <= allowed
        low, high = (middle, high) if fits else (low, middle)
    return np.asarray(np.rint(low * change))
