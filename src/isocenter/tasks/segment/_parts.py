"""Methods whose recipe holds other methods: written down whole, and back."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from isocenter.data import Cases, Watch, as_settings, build
from isocenter.errors import RecipeError
from isocenter.ops.array import Array
from isocenter.tasks._named import class_name, class_of, ours, under
from isocenter.tasks.segment._on import Part

M = TypeVar("M")


class Composed:
    """A frozen dataclass whose fields may hold other methods: it is written down as its recipe with its parts."""

    @property
    def about(self) -> Mapping[str, Any]:
        """The recipe with its parts: it is all there is."""
        return about(self)

    def state(self) -> dict[str, Array]:
        """The arrays of its parts."""
        return state(self)

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> Self:
        """The method that `about` and `state` described."""
        return restored(cls, about, state)


def parts(recipe: Any, prefix: str = "") -> dict[str, Part]:
    """Dotted field to the method that stands there."""
    found: dict[str, Part] = {}
    for field in dataclasses.fields(recipe):
        value = getattr(recipe, field.name)
        if isinstance(value, type):
            continue
        if isinstance(value, Part):
            found[prefix + field.name] = value
        elif dataclasses.is_dataclass(value):
            found |= parts(value, f"{prefix}{field.name}.")
    return found


def with_parts(recipe: M, given: Mapping[str, Any]) -> M:
    """The recipe with other values at dotted fields, nothing else looked at."""
    for dotted, value in given.items():
        head, _, rest = dotted.partition(".")
        inner = with_parts(getattr(recipe, head), {rest: value}) if rest else value
        recipe = cast(M, dataclasses.replace(cast(Any, recipe), **{head: inner}))
    return recipe


def taught(recipe: M, train: Cases, valid: Cases, *, watch: Watch) -> M:
    """The recipe with those of its parts taught that can be: a classical part learns what stands open in it."""
    learning = {n: cast(Any, p) for n, p in parts(recipe).items() if hasattr(p, "fit")}
    return with_parts(recipe, {n: p.fit(train, valid, watch=watch) for n, p in learning.items()})


def about(recipe: Any) -> dict[str, Any]:
    """What a bundle says of a method: its recipe, and its parts each with their own description. JSON-able."""
    held = parts(recipe)
    plain = as_settings(with_parts(recipe, {name: _default(recipe, name) for name in held}))
    if not held:
        return {"recipe": plain}
    said = {n: {"class": class_name(p), "about": dict(getattr(p, "about", {}))} for n, p in held.items()}
    return {"recipe": plain, "parts": said}


def state(recipe: Any) -> dict[str, Array]:
    """The arrays of all parts, each after the name of its field; RecipeError for a part that cannot be written down."""
    arrays: dict[str, Array] = {}
    for name, part in parts(recipe).items():
        if not ours(class_name(part), "segment") or not hasattr(part, "state"):
            raise RecipeError("the part cannot be kept in a bundle", where=name, got=type(part).__name__)
        arrays |= {f"{name}.{key}": array for key, array in cast(Any, part).state().items()}
    return arrays


def restored(cls: type[M], said: Mapping[str, Any], arrays: Mapping[str, Array]) -> M:
    """The method that `about` and `state` described.

    Raises
    ------
    BundleError
        A part is of no class of this folder.
    """
    settings = copy.deepcopy(dict(said["recipe"]))
    held = {
        name: class_of(part["class"], "segment").from_state(part["about"], under(name, arrays))
        for name, part in said.get("parts", {}).items()
    }
    return with_parts(cast(M, build(cls, settings)), held)


def _default(recipe: Any, dotted: str) -> Any:
    head, _, rest = dotted.partition(".")
    if rest:
        return _default(getattr(recipe, head), rest)
    return next(f.default for f in dataclasses.fields(recipe) if f.name == head)
