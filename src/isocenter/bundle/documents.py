"""JSON as we write it and as we accept it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from isocenter.errors import BundleError, OutputError


def dumped(value: Any) -> bytes:
    """UTF-8 JSON, readable, the same bytes for the same values.

    Tuples become lists, numpy numbers plain ones, NaN and infinity null; OutputError for anything else that JSON lacks.
    """
    return (json.dumps(_plain(value), ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode("utf-8")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(v) for v in (sorted(value) if isinstance(value, (set, frozenset)) else value)]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise OutputError("not a value that a bundle can hold", got=f"{type(value).__name__} {str(value)[:60]!r}")


def parsed(data: bytes, *, what: str) -> dict[str, Any]:
    """The JSON object in `data`.

    Parameters
    ----------
    what
        What it is, for the message.

    Raises
    ------
    BundleError
        No UTF-8 JSON object, a key that stands twice, NaN, or too deep.
    """
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_never)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{what} is not readable", got=str(error)[:120], remedy="Fetch the bundle again") from error
    if not isinstance(value, dict):
        raise BundleError(f"{what} is not a JSON object", got=type(value).__name__)
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        raise ValueError("a key stands twice")
    return out


def _never(name: str) -> Any:
    raise ValueError(f"{name} is no number")
