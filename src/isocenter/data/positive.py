"""Which class one-sided metrics lead with, when nobody says."""

from __future__ import annotations

from collections.abc import Sequence

NEGATIVE = frozenset({"normal", "healthy", "negative", "control", "benign", "no", "0"})


def positive_of(classes: Sequence[str]) -> str | None:
    """Of two classes the one that is not normal, healthy, negative, control, benign, no or 0; else None.

    >>> positive_of(["normal", "pneumonia"])
    'pneumonia'
    """
    others = [c for c in classes if c.strip().lower() not in NEGATIVE]
    return others[0] if len(classes) == 2 and len(others) == 1 else None
