"""The class of a fitted method by its name, for methods that hold others in one bundle."""

from __future__ import annotations

import importlib
import re
from typing import Any

from isocenter.errors import BundleError

# A bundle comes from anywhere; its word calls nothing but methods of this folder.
OURS = re.compile(r"(isocenter\.tasks\.segment\.[a-z_0-9]+):([A-Za-z0-9]+)")


def class_name(method: Any) -> str:
    """``"module:Class"`` of a method."""
    return f"{type(method).__module__}:{type(method).__name__}"


def class_of(name: str) -> Any:
    """The class of this folder that `class_name` named; BundleError for any other, or one that cannot be read back."""
    match = OURS.fullmatch(str(name))
    found = getattr(importlib.import_module(match[1]), match[2], None) if match else None
    if match is None or not isinstance(found, type) or not hasattr(found, "from_state"):
        raise BundleError("a part is no method of isocenter", got=str(name), remedy="Train it with `isocenter train`")
    return found
