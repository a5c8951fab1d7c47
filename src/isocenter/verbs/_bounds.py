"""Bounds of read-outs as a command line names them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from isocenter.errors import UsageError
from isocenter.inspect.bounds import Bounds


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
