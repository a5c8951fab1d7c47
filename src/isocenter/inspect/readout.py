"""Tables of measured numbers: columns that name their units, one row an object, image, pair or frame."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from isocenter.ops.array import Array

# Values of one column, from the first row on.
Column: TypeAlias = Sequence[Any] | Array


@dataclass(frozen=True)
class Readout:
    """A table.

    Parameters
    ----------
    header
        Columns; a table without rows has them too.
    rows
        Plain values by column: numbers, text, or None where there is nothing to say.
    """

    header: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]

    @classmethod
    def of(cls, columns: Mapping[str, Column]) -> Readout:
        """A table from columns of one length.

        >>> Readout.of({"id": [1, 2], "area_mm2": [3.5, float("nan")]}).rows[1]
        {'id': 2, 'area_mm2': None}
        """
        lines = zip(*columns.values(), strict=True)
        return cls(tuple(columns), tuple({k: plain(v) for k, v in zip(columns, line, strict=True)} for line in lines))

    def column(self, name: str) -> list[Any]:
        """The values of one column, without those that are None."""
        return [row[name] for row in self.rows if row.get(name) is not None]


def joined(parts: Sequence[tuple[Mapping[str, Any], Readout]]) -> Readout:
    """Several tables below each other, each behind columns of its own that say where it comes from."""
    header = dict.fromkeys(k for first, _ in parts for k in first)
    header |= dict.fromkeys(name for _, table in parts for name in table.header)
    rows = tuple({**{k: plain(v) for k, v in first.items()}, **row} for first, table in parts for row in table.rows)
    return Readout(tuple(header), rows)


def plain(value: Any) -> Any:
    """A number of ten digits, whole numbers as such, True as 1; None for what is not finite; else text.

    >>> plain(np.float64(0.1) + 0.2), plain(np.int64(3)), plain(np.bool_(True)), plain(np.nan), plain("a")
    (0.3, 3, 1, None, 'a')
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool | int | np.bool_ | np.integer):
        return int(value)
    number = float(value)
    return float(f"{number:.10g}") if math.isfinite(number) else None
