"""Recipes: a method's constructor is its configuration.

A recipe is a frozen dataclass whose fields are made with `knob`; recipes nest. As JSON it is a plain mapping.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any

from isocenter.errors import RecipeError, nearest


class Said(typing.TypedDict, total=False):
    """What else a field says about itself; see `knob`."""

    low: float | None
    high: float | None
    unit: str
    choices: tuple[str, ...]
    tunable: bool
    source: str


def knob(default: Any, text: str, **said: typing.Unpack[Said]) -> Any:
    """A field of a recipe.

    Parameters
    ----------
    default
        Value when nobody says; None means that the plan decides. A callable makes the default (nested recipes).
    text
        What it is, in the field's own terms.
    said
        ``low``, ``high`` (inclusive range), ``unit``, ``choices`` (allowed names), ``tunable`` (whether a search may
        try other values), ``source`` (paper or standard).
    """
    meta = {"text": text, **said}
    if callable(default):
        return dataclasses.field(default_factory=default, metadata=meta)
    return dataclasses.field(default=default, metadata=meta)


@dataclasses.dataclass(frozen=True)
class Knob:
    """One described field of a recipe, for `isocenter methods TASK METHOD`."""

    name: str
    type: str
    default: Any
    text: str
    low: float | None
    high: float | None
    unit: str
    choices: tuple[str, ...]
    tunable: bool
    source: str


def knobs(cls: type, prefix: str = "") -> list[Knob]:
    """Every field of a recipe class, nested ones as ``study.epochs``."""
    rows: list[Knob] = []
    hints = typing.get_type_hints(cls)
    for f in dataclasses.fields(cls):
        inner = _recipe_type(hints[f.name])
        if inner is not None:
            rows += knobs(inner, f"{prefix}{f.name}.")
            continue
        m = f.metadata
        default = f.default_factory() if f.default_factory is not dataclasses.MISSING else f.default
        rows.append(
            Knob(
                prefix + f.name,
                _type_name(hints[f.name]),
                default,
                m.get("text", ""),
                m.get("low"),
                m.get("high"),
                m.get("unit", ""),
                m.get("choices", ()),
                m.get("tunable", False),
                m.get("source", ""),
            )
        )
    return rows


def build(cls: type, settings: Mapping[str, Any], *, where: str = "") -> Any:
    """A recipe from plain settings, nested or dotted (``{"study.epochs": 5}``).

    Raises
    ------
    RecipeError
        An unknown field (the nearest known name is offered), or a value out of range or of the wrong type.
    """
    hints = typing.get_type_hints(cls)
    fields = {f.name: f for f in dataclasses.fields(cls) if f.init}
    values: dict[str, Any] = {}
    for name, value in _nested(settings).items():
        if name not in fields:
            raise RecipeError(f"unknown field {where}{name!r}", remedy=nearest(name, fields))
        values[name] = _value(hints[name], value, fields[name].metadata, f"{where}{name}")
    return cls(**values)


def merged(recipe: Any, settings: Mapping[str, Any]) -> Any:
    """The recipe with some settings replaced (same refusals as `build`)."""
    base = as_settings(recipe)
    for dotted, value in settings.items():
        *path, last = dotted.split(".")
        node: Any = base
        for step in path:
            node = node.setdefault(step, {})
            if not isinstance(node, dict):
                raise RecipeError(f"{dotted!r} is not a nested field", got=str(node))
        node[last] = value
    return build(type(recipe), base)


def as_settings(recipe: Any) -> dict[str, Any]:
    """The recipe as nested plain values, JSON-able where its values are."""
    out: dict[str, Any] = {}
    for f in dataclasses.fields(recipe):
        value = getattr(recipe, f.name)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            out[f.name] = as_settings(value)
        else:
            out[f.name] = list(value) if isinstance(value, tuple) else value
    return out


def _nested(settings: Mapping[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, value in settings.items():
        head, _, rest = name.partition(".")
        if not rest:
            out[head] = value
            continue
        inner = out.setdefault(head, {})
        if not isinstance(inner, dict):
            raise RecipeError(f"{name!r} is not a nested field", got=str(inner))
        inner[rest] = value
    return out


def _recipe_type(hint: Any) -> type | None:
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    for option in options:
        if isinstance(option, type) and dataclasses.is_dataclass(option):
            return option
    return None


def _type_name(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) and not typing.get_args(hint) else str(hint).replace("typing.", "")


def _value(hint: Any, value: Any, meta: Mapping[str, Any], where: str) -> Any:
    inner = _recipe_type(hint)
    if inner is not None and isinstance(value, Mapping):
        return build(inner, value, where=f"{where}.")
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if hint is Any or (value is None and type(None) in options):
        return value
    for option in options:
        fits, cast = _cast(option, value)
        if fits:
            return _ranged(cast, meta, where)
    if hasattr(value, "fit") and not hasattr(value, "predict"):
        raise RecipeError(f"{where} must be trained first", got=type(value).__name__,
                          remedy="Run isocenter train and name its bundle")
    raise RecipeError(f"{where} has the wrong type", got=_shown(value), wanted=_type_name(hint))


def _cast(option: Any, value: Any) -> tuple[bool, Any]:
    origin = typing.get_origin(option) or option
    if origin is tuple and isinstance(value, (list, tuple)):
        kinds = [a for a in typing.get_args(option) if a is not Ellipsis] or [Any]
        kinds = kinds * len(value) if len(kinds) == 1 else kinds
        if len(kinds) != len(value):
            return False, None
        parts = [(True, v) if k is Any else _cast(k, v) for k, v in zip(kinds, value, strict=True)]
        return all(ok for ok, _ in parts), tuple(v for _, v in parts)
    if option is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return True, float(value)
    if option is int and isinstance(value, (int, float)) and not isinstance(value, bool) and value == value // 1:
        return True, int(value)
    if option in (bool, str):
        return isinstance(value, option), value
    if option in (int, float) or option is type(None) or origin is tuple:
        return False, None
    if origin is typing.Literal:
        return value in typing.get_args(option), value
    return (isinstance(value, origin) if isinstance(origin, type) else True), value


def _ranged(value: Any, meta: Mapping[str, Any], where: str) -> Any:
    low, high, choices = meta.get("low"), meta.get("high"), meta.get("choices") or ()
    if choices and isinstance(value, str) and value not in choices and ":" not in value:
        raise RecipeError(f"{where} is not one of its choices", got=_shown(value), remedy=nearest(value, choices))
    numbers = [v for v in (value if isinstance(value, tuple) else (value,)) if isinstance(v, (int, float))]
    # NaN is in no range.
    if any((low is not None and not v >= low) or (high is not None and not v <= high) for v in numbers):
        raise RecipeError(f"{where} is out of range", got=_shown(value), wanted=f"{low} to {high}")
    return value


def _shown(value: Any) -> str:
    """The value as a message can hold it: an object with arrays inside would fill the screen."""
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:100]} ... ({type(value).__name__})"
