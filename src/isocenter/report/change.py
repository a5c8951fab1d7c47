"""A picture of what had to change for an answer to change."""

from __future__ import annotations

from dataclasses import dataclass

from isocenter.ops.array import Array


@dataclass(frozen=True, eq=False)
class Change:
    """One case as it was, as it was changed, and the change alone.

    Parameters
    ----------
    image, changed
        (y, x) numbers, or (y, x, 3) colours as uint8.
    difference
        (y, x) what was added, in the image's unit.
    limits
        Values that are drawn black and white.
    text
        What came of it, such as ``"bright -> dark, at most 2 grey levels"``.
    case
        Identifier; printed as a keyed code.
    spacing
        mm per axis (y, x), or None.
    """

    image: Array
    changed: Array
    difference: Array
    limits: tuple[float, float]
    text: str = ""
    case: str = ""
    spacing: tuple[float, float] | None = None
