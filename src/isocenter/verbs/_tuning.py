"""Which fields a search tries, between which values, and what was asked of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isocenter.data import Knob, as_settings, knobs, merged
from isocenter.errors import OutputError, RecipeError, UsageError, nearest
from isocenter.verbs._method import Method
from isocenter.verbs._recipe import flattened

if TYPE_CHECKING:
    from isocenter.fit.tuning import Dimension

# Ranges that a person names are searched by factors from this ratio on.
WIDE = 10.0


def named(words: Sequence[str]) -> dict[str, tuple[Any, ...] | None]:
    """``FIELD``, ``FIELD=LOW..HIGH`` and ``FIELD=a,b,c`` as field to None, (low, high) or choices as a list.

    Raises
    ------
    UsageError
        Not such a word.

    >>> named(["width=8..64", "study.batch_size"])
    {'width': (8, 64), 'study.batch_size': None}
    """
    out: dict[str, Any] = {}
    for word in words:
        field, equals, text = word.partition("=")
        if not field or (equals and not text):
            raise UsageError("not a field to search", got=word, wanted="FIELD, FIELD=LOW..HIGH or FIELD=a,b,c")
        if not equals:
            out[field] = None
            continue
        low, dots, high = text.partition("..")
        values = tuple(map(_value, (low, high) if dots else text.split(",")))
        if dots and not all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values):
            raise UsageError("not a range of numbers", got=word, wanted="FIELD=LOW..HIGH")
        out[field] = values if dots else list(values)
    return out


def searchable(asked: Method, over: Mapping[str, Any]) -> list[Knob]:
    """The fields that are searched: those that a person names, else all that the method marks as tunable.

    Raises
    ------
    RecipeError
        No such field, or a method with nothing to try.
    """
    known = {k.name: k for k in knobs(type(asked.object))}
    for name in over:
        if name not in known:
            raise RecipeError(f"unknown field {name!r}", where=asked.name, remedy=nearest(name, known))
    chosen = [known[name] for name in over] or [k for k in known.values() if k.tunable]
    if not chosen:
        raise RecipeError(f"{asked.name} marks no field as worth a search", remedy="Name one: --over FIELD=LOW..HIGH")
    return chosen


def dimensions(
    asked: Method, fitted: Any, over: Mapping[str, Any]
) -> tuple[list[Dimension], dict[str, Any], list[str]]:
    """What is searched, where each field starts, and the fields that are left out.

    Left out are those of which no range is known, and those that all methods share but this one refuses.

    Parameters
    ----------
    asked
        The method before it has learnt.
    fitted
        The same after it: says what the plan decided.
    over
        As `named` gives it; empty: all tunable fields.

    Raises
    ------
    RecipeError
        No field has a range.
    """
    found, starts, left = [], {}, []
    for field in searchable(asked, over):
        starts[field.name] = start = started(asked.object, fitted, field.name)
        one = _dimension(field, start, over.get(field.name))
        if one is None or (field.name not in over and _refused(asked, one)):
            left.append(field.name)
        else:
            found.append(one)
    if not found:
        raise RecipeError("no field has a known range", got=", ".join(left), remedy="Name one: --over FIELD=LOW..HIGH")
    return found, starts, left


def _dimension(field: Knob, start: Any, given: Any) -> Dimension | None:
    from isocenter.fit.tuning import Dimension, around

    whole = "int" in field.type and "float" not in field.type
    if isinstance(given, list):
        return Dimension(field.name, choices=tuple(given))
    if given is not None:
        low, high = given
        return Dimension(field.name, low, high, log=low > 0 and high >= WIDE * low, whole=whole)
    if field.choices:
        return Dimension(field.name, choices=field.choices)
    return around(start, low=field.low, high=field.high, name=field.name, whole=whole)


def _refused(asked: Method, one: Dimension) -> bool:
    try:
        merged(asked.object, {one.name: one.choices[-1] if one.choices else one.low})
    except RecipeError:
        return True
    return False


def started(recipe: Any, fitted: Any, name: str) -> Any:
    """The value of a field as it was asked, or as the plan of the fitted method has it; None where neither says."""
    asked = _walked(as_settings(recipe), name)
    if asked is not None:
        return asked
    about: Mapping[str, Any] = getattr(fitted, "about", None) or {}
    scheme = about.get("scheme") or {}
    network = about.get("network") or scheme.get("network") or {}
    planned = _walked(scheme, name)
    if planned is not None:
        return planned
    if name in network:
        return network[name]
    if name == "width" and network.get("widths"):
        return network["widths"][0]
    return len(network["strides"]) if name == "depth" and network.get("strides") else None


def _walked(values: Any, dotted: str) -> Any:
    for step in dotted.split("."):
        values = values.get(step) if isinstance(values, Mapping) else None
    return values


def remembered(part: Path, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What the search in a folder was asked and has found out before; it is begun where there is none.

    Raises
    ------
    OutputError
        Another search lies there.
    """
    file = part / "search.json"
    plain = json.loads(json.dumps(asked, default=str))
    if not file.is_file():
        file.write_text(json.dumps({"asked": plain}, indent=1), encoding="utf-8")
    known: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    if known["asked"] != plain:
        differ = [k for k in plain if known["asked"].get(k) != plain[k]]
        raise OutputError("another search lies here", where=str(part), got=f"other {', '.join(differ)}",
                          remedy="Pass --overwrite to begin anew, or name another folder")
    return known


def kept(part: Path, said: Mapping[str, Any]) -> None:
    """Writes down what a search has found out, for when it goes on."""
    new = part / "search.json.new"
    new.write_text(json.dumps(said, indent=1), encoding="utf-8")
    new.replace(part / "search.json")


def again(known: Mapping[str, Any]) -> list[Dimension]:
    """The dimensions that `kept` wrote as ``dimensions``; empty where it has not yet."""
    from isocenter.fit.tuning import Dimension

    return [Dimension(**{**d, "choices": tuple(d["choices"])}) for d in known.get("dimensions", ())]


def recipe_text(asked: Method, values: Mapping[str, Any] | None = None) -> str:
    """The recipe as a JSON file that ``--recipe`` reads: what differs from the defaults, and these values."""
    usual = {k.name: list(k.default) if isinstance(k.default, tuple) else k.default for k in knobs(type(asked.object))}
    own = {k: v for k, v in flattened(as_settings(asked.object)).items() if v != usual.get(k)}
    return json.dumps({"recipe": {**own, **(values or {})}}, indent=1, sort_keys=True, default=str)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
