"""Bounds and grey levels of read-outs as a command line names them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from isocenter.data import Image
from isocenter.errors import InputError, UsageError
from isocenter.inspect.bounds import Bounds
from isocenter.inspect.featured import MOST_LEVELS, Levels


def bounds_of(options: Mapping[str, Any]) -> Bounds:
    """The bounds of ``below``, ``above`` (numbers) and ``uptake`` (``"41%"`` of the maximum, or an SUV).

    Raises
    ------
    UsageError
        `uptake` is neither a share from above 0 to 100 % nor an SUV above 0.

    >>> bounds_of({"below": [-950], "uptake": "2.5"}).suv
    2.5
    """
    below, above = (tuple(float(v) for v in options.get(name) or ()) for name in ("below", "above"))
    said = options.get("uptake")
    if said is None:
        return Bounds(below, above)
    text = str(said).strip()
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        number = float("nan")
    percent = text.endswith("%")
    if not 0 < number < float("inf") or (percent and number > 100):
        raise UsageError("not a threshold of uptake", got=text, wanted="a share of the maximum such as 41%, or an SUV")
    if percent:
        return Bounds(below, above, share=number / 100, uptake=True)
    return Bounds(below, above, suv=number, uptake=True)


def levels_of(options: Mapping[str, Any], image: Image | None) -> Levels | None:
    """The grey levels of ``radiomics``: a number of them, or ``"width=25"``; None where it was not asked for.

    Raises
    ------
    UsageError
        Neither a whole number from 2 to 4096 nor a width above 0.
    InputError
        There is no image to read features from.

    >>> levels_of({"radiomics": "width=25"}, Image.from_array(__import__("numpy").zeros((2, 2)))).width
    25.0
    """
    said = options.get("radiomics")
    if said is None:
        return None
    text = str(said).strip()
    name, sign, number = text.rpartition("=")
    try:
        value = float(number) if sign else float(int(text))
    except ValueError:
        value = float("nan")
    fits = 0 < value < float("inf") if sign else 2 <= value <= MOST_LEVELS
    if not fits or name not in ("", "width"):
        raise UsageError("not grey levels", got=text, wanted="how many, such as 32, or their width, such as width=25")
    if image is None:
        raise InputError("features are read from the image, which was not given", remedy="Name the image too")
    return Levels(width=value) if sign else Levels(int(value))
