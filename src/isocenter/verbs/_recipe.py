"""From files, settings and flags to a recipe whose every value knows where it came from."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from isocenter.data import build, knobs
from isocenter.errors import MissingFileError, RecipeError, nearest

# From a part's name and its own settings to the part.
PartOf = Callable[[str, "Settings"], Any]


@dataclass(frozen=True)
class Settings:
    """Dotted settings and where each came from.

    Parameters
    ----------
    values
        ``{"study.batch_size": 4}``; a part is ``{"use": "TASK/METHOD", ...}`` with its
        own settings beside, or ``{"use": "x.bundle"}``.
    origins
        Same keys: ``"recipe file"``, ``"--set"``, ``"--epochs"`` ...
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)

    def over(self, values: Mapping[str, Any], origin: str) -> Settings:
        """These settings with some replaced by a higher level."""
        flat = flattened(values)
        return Settings({**self.values, **flat}, {**self.origins, **dict.fromkeys(flat, origin)})

    def of(self, name: str) -> Settings:
        """What concerns one of several methods: ``unet.study.epochs`` names unet alone."""
        mine = {k: v for k, v in self.values.items() if k.startswith(f"{name}.")}
        cut = {k[len(name) + 1 :]: v for k, v in mine.items()}
        return Settings(cut, {k[len(name) + 1 :]: self.origins.get(k, "") for k in mine})


def settings_of(given: Mapping[str, Any] | Settings | str | Path | None) -> Settings:
    """Settings from a mapping, a recipe file (JSON) or nothing.

    Raises
    ------
    MissingFileError, RecipeError
        The recipe file is not there, or is not a JSON object.
    """
    if given is None or isinstance(given, Settings):
        return given or Settings()
    if isinstance(given, Mapping):
        return Settings().over(given, "settings")
    path = Path(given)
    if not path.is_file():
        raise MissingFileError("no such recipe file", where=str(path))
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RecipeError("not a JSON file", where=str(path), got=str(error)) from error
    if not isinstance(values, dict):
        raise RecipeError("a recipe is a JSON object", where=str(path), got=type(values).__name__)
    return Settings().over(values.get("recipe", values), "recipe file")


def flattened(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as dotted ones; a part (``{"use": ...}``) stays whole.

    >>> flattened({"study": {"epochs": 5}, "of": {"use": "x.bundle"}})
    {'study.epochs': 5, 'of': {'use': 'x.bundle'}}
    """
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping) and "use" not in value:
            flat |= flattened(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat


def made(cls: type, settings: Settings, *, part: PartOf, fixed: Mapping[str, Any] | None = None) -> Any:
    """The method of a class with these settings.

    Parameters
    ----------
    cls
        A method's class.
    settings
        Its settings.
    part
        Resolves what ``{"use": ...}`` names, alone or in a list, with the settings that stand beside ``use``.
    fixed
        Fields given as objects, past the settings (``of=predictor``).

    Raises
    ------
    RecipeError
        An unknown field, with the nearest known one; a value out of range.
    """
    known = [k.name for k in knobs(cls)]
    for name in settings.values:
        if name not in known:
            raise RecipeError(f"unknown field {name!r}", where=cls.__name__, remedy=_nearest_field(name, known))
    values = {k: _with_parts(v, part) for k, v in settings.values.items()}
    return build(cls, {**values, **(fixed or {})})


def _with_parts(value: Any, part: PartOf) -> Any:
    if isinstance(value, list) and any(isinstance(v, Mapping) for v in value):
        return [_with_parts(v, part) for v in value]
    if not isinstance(value, Mapping):
        return value
    return part(value["use"], Settings().over({k: v for k, v in value.items() if k != "use"}, "part"))


def _nearest_field(name: str, known: list[str]) -> str:
    last = [k for k in known if k.rpartition(".")[2] == name.rpartition(".")[2]]
    if last:
        return f"Did you mean {last[0]}? See: isocenter methods TASK METHOD"
    return nearest(name, known)
