"""Probabilities and measured values as JSON and CSV."""

from __future__ import annotations

import csv
import json
import math
from io import StringIO
from typing import Any

from isocenter.data import Probabilities, Values
from isocenter.io.spreadsheet import safe

FIELDS = ("name", "value", "unit", "low", "high")


def rows(value: Probabilities | Values) -> list[dict[str, Any]]:
    """One row a class or value: name, value, unit, low, high; numbers that are not finite become None."""
    if isinstance(value, Probabilities):
        pairs = zip(value.classes, value.values, strict=True)
        return [{"name": c, "value": _finite(v), "unit": "", "low": None, "high": None} for c, v in pairs]
    return [
        {"name": n, "value": _finite(v.number), "unit": v.unit, "low": _finite(v.low), "high": _finite(v.high)}
        for n, v in value.items.items()
    ]


def as_json(value: Probabilities | Values) -> str:
    """A JSON document: ``{"format": 1, "kind", "items": [...]}`` and for probabilities what was decided."""
    document: dict[str, Any] = {"format": 1, "kind": type(value).__name__.lower(), "items": rows(value)}
    if isinstance(value, Probabilities):
        document |= {"decided": list(value.decision), "multilabel": value.multilabel}
    return json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def as_csv(value: Probabilities | Values) -> str:
    """A table with the columns of `rows`; no name becomes a formula of a spreadsheet."""
    out = StringIO()
    writer = csv.DictWriter(out, FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({**row, "name": safe(row["name"]), "unit": safe(row["unit"])} for row in rows(value))
    return out.getvalue()


def _finite(number: float | None) -> float | None:
    return None if number is None or not math.isfinite(number) else float(number)
