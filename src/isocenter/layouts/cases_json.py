"""The ``cases.json`` beside a table: what the names of its columns do not say."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from isocenter.errors import TableError, UnreadableError, nearest

NAME = "cases.json"
FORMAT = 1
COLUMNS = ("case", "role", "frame", "time", "subject", "group", "split")
KEYS = ("format", "table", "tables", *COLUMNS, "facts", "truth", "allow")
# What a set may allow itself with a reason; `geometry` puts labels on the grid of their image.
ALLOWED = ("leakage", "geometry")
# What happens to objects without area, or outside their image.
INVALID = ("drop", "refuse")


@dataclass(frozen=True)
class Truth:
    """Where the truth of one task stands.

    Parameters
    ----------
    column
        Its column, or "" when the names decide.
    role
        In joined rows, the image that the truth belongs to, or "".
    labels
        Name to number (segment) or to the text of the cell (classify); empty when undeclared.
    positive
        The class that one-sided metrics lead with, or None.
    multilabel
        classify: whether a cell names any number of classes, a semicolon between them; None when undeclared.
    invalid
        detect, instances: ``"drop"`` leaves objects without area or outside their image out and says so (the default),
        ``"refuse"`` refuses them.
    unit
        regress: of the numbers, such as ``"years"``.
    reads
        detect, instances: the task whose truth the column is, ``"segment"`` or ``"instances"``; "" when its files say.
    """

    column: str = ""
    role: str = ""
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    positive: str | None = None
    multilabel: bool | None = None
    invalid: str = ""
    reads: str = ""
    unit: str = ""


@dataclass(frozen=True)
class Declared:
    """A read and checked cases.json; all empty where there is none.

    Parameters
    ----------
    table
        File name of the table, or "".
    tables
        (file, column) of each table joined to it.
    columns
        Of ``case role frame time subject group split``, those that are named.
    raw
        The document as read.
    """

    table: str = ""
    tables: tuple[tuple[str, str], ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    facts: tuple[str, ...] = ()
    truth: Mapping[str, Truth] = field(default_factory=dict)
    allow: Mapping[str, str] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict)

    def named(self) -> set[str]:
        """Every column of the table that it names."""
        found = {*self.columns.values(), *self.facts, *(t.column for t in self.truth.values() if t.column)}
        return found | {on for _, on in self.tables}


def read(path: Path) -> Declared:
    """The declarations in a file.

    Raises
    ------
    UnreadableError
        Not JSON.
    TableError
        A newer format, an unknown key (the nearest is offered), or a value of the wrong kind.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise UnreadableError("not JSON", where=str(path), got=str(error).split("\n")[0]) from error
    return parsed(raw, str(path))


def parsed(raw: Any, where: str) -> Declared:
    """The declarations in a document; raises as `read`."""
    check = _Checker(where)
    document = check.mapping(raw, "the document", KEYS, known_first="format")
    check.version(document.get("format"))
    tables = tuple(
        (check.text(t.get("file"), "tables.file"), check.text(t.get("on"), "tables.on"))
        for t in (check.mapping(t, "tables", ("file", "on")) for t in check.items(document.get("tables", []), "tables"))
    )
    truths = check.mapping(document.get("truth", {}), "truth", None)
    return Declared(
        check.text(document.get("table", ""), "table"),
        tables,
        {k: check.text(document[k], k) for k in COLUMNS if document.get(k)},
        tuple(check.text(f, "facts") for f in check.items(document.get("facts", []), "facts")),
        {task: _truth(check, value, f"truth.{task}") for task, value in truths.items()},
        {k: check.text(v, f"allow.{k}") for k, v in check.mapping(document.get("allow", {}), "allow", ALLOWED).items()},
        document,
    )


def _truth(check: _Checker, value: Any, where: str) -> Truth:
    t = check.mapping(value, where, ("column", "role", "labels", "positive", "multilabel", "invalid", "unit"))
    labels = check.mapping(t.get("labels") or {}, f"{where}.labels", None)
    positive = t.get("positive")
    return Truth(
        check.text(t.get("column") or "", f"{where}.column"),
        check.text(t.get("role") or "", f"{where}.role"),
        {name: check.values(v, f"{where}.labels.{name}") for name, v in labels.items()},
        None if positive is None else check.values(positive, f"{where}.positive")[0],
        check.flag(t.get("multilabel"), f"{where}.multilabel"),
        check.one_of(t.get("invalid") or "", f"{where}.invalid", ("", *INVALID)),
        unit=check.text(t.get("unit") or "", f"{where}.unit"),
    )


@dataclass(frozen=True)
class _Checker:
    where: str

    def fail(self, what: str, got: str = "", wanted: str = "", remedy: str = "") -> TableError:
        return TableError(what, where=self.where, got=got, wanted=wanted, remedy=remedy)

    def version(self, value: Any) -> None:
        if isinstance(value, int) and not isinstance(value, bool) and value > FORMAT:
            raise self.fail(
                f"format {value} is newer than this version reads", wanted=f"format {FORMAT} or older",
                remedy="Install a newer isocenter: pip install -U isocenter",
            )
        if value != FORMAT or isinstance(value, bool):
            raise self.fail("the format is not stated", got=repr(value), wanted=f'"format": {FORMAT}')

    def mapping(self, value: Any, what: str, known: Iterable[str] | None, known_first: str = "") -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.fail(f"{what} is not an object", got=type(value).__name__)
        # A newer format may have other keys: its number is judged first.
        if known_first and isinstance(value.get(known_first), int) and value[known_first] > FORMAT:
            return value
        for key in value:
            if known is not None and key not in known:
                raise self.fail(f"unknown key {key!r} in {what}", remedy=nearest(key, known))
        return value

    def items(self, value: Any, what: str) -> list[Any]:
        if not isinstance(value, list):
            raise self.fail(f"{what} is not a list", got=type(value).__name__)
        return value

    def text(self, value: Any, what: str) -> str:
        if not isinstance(value, str):
            raise self.fail(f"{what} is not text", got=repr(value))
        return value

    def one_of(self, value: Any, what: str, known: tuple[str, ...]) -> str:
        if value not in known:
            raise self.fail(f"{what} is none of its words", got=repr(value), wanted=" or ".join(filter(None, known)))
        return str(value)

    def flag(self, value: Any, what: str) -> bool | None:
        if value is not None and not isinstance(value, bool):
            raise self.fail(f"{what} is not true or false", got=repr(value))
        return value

    def values(self, value: Any, what: str) -> tuple[str, ...]:
        many = value if isinstance(value, list) else [value]
        if not many or not all(isinstance(v, (str, int, float, bool)) for v in many):
            raise self.fail(f"{what} is not a number or a name", got=repr(value))
        return tuple(str(int(v)) if isinstance(v, bool) else str(v) for v in many)
