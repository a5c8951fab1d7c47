"""A part that makes a map, written down with what it explains, and read back."""

from __future__ import annotations

import dataclasses
import importlib
import re
from collections.abc import Mapping
from typing import Any

from isocenter.data import as_settings, build
from isocenter.errors import BundleError
from isocenter.metrics.asked import within
from isocenter.ops.array import Array
from isocenter.tasks._named import class_name, under

# A bundle comes from anywhere; its word calls nothing but explanations and the methods that can be explained.
OURS = re.compile(r"(isocenter\.tasks\.(?:explain|classify|segment)\.[a-z_0-9]+):([A-Za-z0-9]+)")


def told(part: Any) -> dict[str, Any]:
    """JSON-able: the class of an explanation, its settings, and the same of the method that it explains."""
    part = within(part)
    known(class_name(part))
    if not dataclasses.is_dataclass(part) or not hasattr(part, "of"):
        return {"class": class_name(part), "about": dict(getattr(part, "about", {}))}
    plain: Any = {f.name: getattr(part, f.name) for f in dataclasses.fields(part) if f.name != "of"}
    settings = {k: list(v) if isinstance(v, tuple) else v for k, v in plain.items()}
    return {"class": class_name(part), "settings": settings, "of": None if part.of is None else told(part.of)}


def arrays_of(part: Any) -> dict[str, Array]:
    """The arrays of the method at the end of the chain, under ``of.``."""
    part = within(part)
    if hasattr(part, "of"):
        return {f"of.{k}": a for k, a in arrays_of(part.of).items()} if part.of is not None else {}
    return dict(part.state())


def read(said: Mapping[str, Any], arrays: Mapping[str, Array]) -> Any:
    """The way back from `told` and `arrays_of`; BundleError for a class that is not ours."""
    cls = known(str(said["class"]))
    if "settings" not in said:
        return cls.from_state(said["about"], arrays)
    inner = None if said["of"] is None else read(said["of"], under("of", arrays))
    return build(cls, {**said["settings"], "of": inner})


def known(name: str) -> Any:
    """The class that ``"module:Class"`` names; BundleError unless it explains or can be explained here."""
    match = OURS.fullmatch(name)
    found = getattr(importlib.import_module(match[1]), match[2], None) if match else None
    if not isinstance(found, type) or not (hasattr(found, "from_state") or "explain" in name.split(":")[0]):
        raise BundleError("a part is no method of isocenter", got=name, remedy="Train it with `isocenter train`")
    return found


def plain_settings(method: Any) -> dict[str, Any]:
    """The recipe of a method without its part."""
    return as_settings(dataclasses.replace(method, of=None))
