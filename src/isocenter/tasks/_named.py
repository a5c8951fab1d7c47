"""The class of a fitted method by its name, and its arrays, for methods that hold others in one bundle."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from typing import Any

from isocenter.errors import BundleError
from isocenter.ops.array import Array

# A bundle comes from anywhere; its word calls nothing but methods of the one folder that asks.
PLACE = r"(isocenter\.tasks\.{task}\.[a-z_0-9]+):([A-Za-z0-9]+)"


def class_name(method: Any) -> str:
    """``"module:Class"`` of a method."""
    return f"{type(method).__module__}:{type(method).__name__}"


def ours(name: str, task: str) -> re.Match[str] | None:
    """Module and class of ``"module:Class"``, where that is of a task's folder."""
    return re.fullmatch(PLACE.format(task=task), str(name))


def class_of(name: str, task: str) -> Any:
    """The class of a task's folder that `class_name` named; BundleError for others, or one that cannot be read back."""
    match = ours(name, task)
    found = getattr(importlib.import_module(match[1]), match[2], None) if match else None
    if match is None or not isinstance(found, type) or not hasattr(found, "from_state"):
        raise BundleError("a part is no method of isocenter", got=str(name), remedy="Train it with `isocenter train`")
    return found


def under(name: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """The arrays that stand under a method's name, ``"name.key"``, by their keys.

    >>> list(under("on", {"on.weights/a.b": 1, "only.x": 2, "on": 3}))
    ['weights/a.b']
    """
    return {k.removeprefix(f"{name}."): a for k, a in arrays.items() if k.startswith(f"{name}.")}
