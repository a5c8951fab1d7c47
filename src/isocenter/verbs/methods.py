"""What there is to use, and every setting of it."""

from __future__ import annotations

import inspect
import re
from dataclasses import asdict, dataclass
from typing import Any

from isocenter import catalog
from isocenter.data import Knob, knobs
from isocenter.verbs._text import table


@dataclass(frozen=True)
class Method:
    """One method of a task, in full.

    Parameters
    ----------
    task, name, text
        Which question, its name, its one line.
    about
        The rest of its docstring: sources and limits.
    learns
        Whether it studies before it answers.
    fields
        Its recipe, nested fields as ``study.epochs``.
    """

    task: str
    name: str
    text: str
    about: str
    learns: bool
    fields: tuple[Knob, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        fields = [{k: _plain(v) for k, v in asdict(f).items()} for f in self.fields]
        return {"format": 1, "task": self.task, "method": self.name, "text": self.text, "about": self.about,
                "learns": self.learns, "fields": fields}

    def lines(self) -> list[str]:
        """The fields as a table."""
        rows = [(f.name, _kind(f), _value(f.default), _range(f), f.text + (f" [{f.source}]" if f.source else ""))
                for f in self.fields]
        return [
            f"{self.task}/{self.name}: {self.text}", *([*self.about.splitlines(), ""] if self.about else [""]),
            *table(("field", "type", "default", "range", "what"), rows), "", "next: " + self._next(),
        ]

    def _next(self) -> str:
        if self.learns:
            facts = " --facts COLUMNS" if any(f.name == "facts" for f in self.fields) else ""
            return f"isocenter train {self.task} DATA --method {self.name}{facts} -o {self.name}.bundle"
        return f"isocenter evaluate {self.task}/{self.name} DATA --split test"


@dataclass(frozen=True)
class Methods:
    """Tasks with their methods, one line each.

    Parameters
    ----------
    tasks
        Task to its text.
    methods
        Task to method to text.
    """

    tasks: dict[str, str]
    methods: dict[str, dict[str, str]]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        only = next(iter(self.tasks)) if len(self.tasks) == 1 else None
        return {"format": 1, "task": only, "tasks": self.tasks, "methods": self.methods}

    def lines(self) -> list[str]:
        """One table."""
        rows = [(f"{t}/{m}", text) for t, found in self.methods.items() for m, text in found.items()]
        first = next((name for name, _ in rows), "TASK/METHOD").replace("/", " ")
        return [*table(("method", "what"), rows), "", f"next: isocenter methods {first}"]


def methods(task: str | None = None, method: str | None = None) -> Method | Methods:
    """What there is to use.

    Parameters
    ----------
    task
        Only this question; None for all.
    method
        One method of it, in full: every field with type, range, unit, default and source.

    Raises
    ------
    NotFoundError
        No such task or method; names the nearest.
    """
    if task is not None and method is None and "/" in task:
        task, method = task.split("/", 1)
    if task is not None and method is not None:
        return _one(task, method)
    names = catalog.tasks() if task is None else (catalog.task(task).name,)
    return Methods(
        {name: catalog.task(name).text for name in names},
        {name: {m: catalog.summary(name, m) for m in catalog.methods(name)} for name in names},
    )


def _one(task: str, method: str) -> Method:
    cls = catalog.find(task, method)
    text, _, about = (inspect.getdoc(cls) or "").partition("\n")
    # What the fields are and what is raised stands in the table below, and for programmers.
    about = re.split(r"(?:^|\n)(?:Parameters|Raises)\n---", about)[0].strip()
    return Method(task, method, catalog.summary(task, method) or text, about, hasattr(cls, "fit"), tuple(knobs(cls)))


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value if isinstance(value, (str, int, float, bool, list)) else (
        None if value is None else str(value))


def _kind(field: Knob) -> str:
    return field.type.replace("isocenter.data.protocols.", "").replace(" | None", "")


def _value(default: Any) -> str:
    return (
        "as planned" if default is None else ",".join(map(str, default)) if isinstance(default, tuple) else str(default)
    )


def _range(field: Knob) -> str:
    if field.choices:
        return ", ".join(field.choices)
    low, high = (
        "" if end is None else str(int(end)) if int(end) == end else str(end) for end in (field.low, field.high)
    )
    span = f"{low} to {high}" if low and high else f"from {low}" if low else f"up to {high}" if high else ""
    return f"{span} {field.unit}".strip()
