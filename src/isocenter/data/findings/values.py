"""Measured numbers with their units."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from isocenter.errors import LabelError


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

    @classmethod
    def truth(cls, name: str, number: float, unit: str = "") -> Values:
        """The certain number of one name; LabelError where it is not finite.

        >>> Values.truth("age", 63, "years").of("age")
        Value(number=63.0, unit='years', low=None, high=None)
        """
        if not math.isfinite(number):
            raise LabelError("not a number that can be true", where=name, got=str(number), wanted="a finite number")
        return cls({name: Value(float(number), unit)})

    def of(self, name: str) -> Value:
        """The value of a name; LabelError where there is none."""
        if name not in self.items:
            raise LabelError(f"no value {name!r}", got=", ".join(self.items), wanted=name)
        return self.items[name]
