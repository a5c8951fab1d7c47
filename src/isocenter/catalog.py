"""What there is: the folders of `tasks/` are the registry. Listing imports no method."""

from __future__ import annotations

import ast
import importlib
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from isocenter.errors import NotFoundError, RecipeError, nearest

ROOT = Path(__file__).parent / "tasks"
GROUP = "isocenter.tasks"


def tasks() -> tuple[str, ...]:
    """Names of all questions, in alphabetical order."""
    return tuple(sorted(p.name for p in ROOT.iterdir() if (p / "__init__.py").is_file()))


def task(name: str) -> Any:
    """The `Task` of a question; NotFoundError names the nearest."""
    if name not in tasks():
        raise NotFoundError(f"no task {name!r}", remedy=nearest(name, tasks()))
    return importlib.import_module(f"isocenter.tasks.{name}").TASK


def methods(task_name: str) -> tuple[str, ...]:
    """Names of the methods of a question, third parties' included (entry points `isocenter.tasks`, "TASK/METHOD")."""
    task(task_name)
    ours = {p.stem for p in (ROOT / task_name).glob("[!_]*.py")}
    theirs = {e.name.partition("/")[2] for e in entry_points(group=GROUP) if e.name.startswith(f"{task_name}/")}
    return tuple(sorted(ours | theirs))


@cache
def summary(task_name: str, name: str) -> str:
    """First line of a method's module docstring, read without importing it; "" for methods of third parties."""
    path = ROOT / task_name / f"{name}.py"
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) if path.is_file() else ""
    return (text or "").split("\n")[0]


def find(task_name: str, name: str) -> type:
    """The class of a method.

    Parameters
    ----------
    task_name
        A question.
    name
        A method of it, or ``"module:Class"`` of a third party.

    Raises
    ------
    NotFoundError
        No such task or method; the nearest name is offered.
    """
    if ":" in name:
        outside: type = load(name)
        return outside
    task(task_name)
    for entry in entry_points(group=GROUP):
        if entry.name == f"{task_name}/{name}":
            return entry.load()  # type: ignore[no-any-return]
    if name not in methods(task_name):
        raise NotFoundError(f"no method {name!r} for {task_name}", remedy=nearest(name, methods(task_name)))
    module = importlib.import_module(f"isocenter.tasks.{task_name}.{name}")
    wanted = name.replace("_", "").lower()
    for attribute, value in vars(module).items():
        if attribute.lower() == wanted and isinstance(value, type) and value.__module__ == module.__name__:
            return value
    raise RecipeError(f"{module.__name__} holds no class named after its file", wanted=wanted)


def load(spec: str) -> Any:
    """The object that ``"module:Name"`` names; NotFoundError when it is not there."""
    module, _, name = spec.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise NotFoundError(f"cannot load {spec!r}", got=str(error), wanted="module:Name") from error
