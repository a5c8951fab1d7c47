"""Which class one-sided metrics lead with, when nobody says."""

from __future__ import annotations

from collections.abc import Sequence

NEGATIVE = frozenset(
    {"normal", "healthy", "negative", "control", "benign", "no", "0"}
    | {"正常", "健康", "阴性", "陰性", "对照", "對照", "良性", "无", "無", "否"}
)


def positive_of(classes: Sequence[str]) -> str | None:
    """Of two classes the one that is not normal, healthy, negative, control, benign, no or 0, in English or Chinese.

    None where that is not exactly one.

    >>> positive_of(["normal", "pneumonia"])
    'pneumonia'
    """
    others = [c for c in classes if c.strip().lower() not in NEGATIVE]
    return others[0] if len(classes) == 2 and len(others) == 1 else None
