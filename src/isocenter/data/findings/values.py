"""Measured numbers with their units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Value:
    """A number, its unit, and its interval where there is one."""

    number: float
    unit: str = ""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Values:
    """Named numbers about one case."""

    items: Mapping[str, Value]
