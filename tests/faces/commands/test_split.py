from __future__ import annotations

import argparse
from typing import Any

import pytest

from isocenter.errors import UsageError
from isocenter.faces.arguments import Parser, everywhere
from isocenter.faces.commands import split


def asked(monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What the command hands to the verb for these words."""
    met: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    monkeypatch.setattr(split, "split", lambda *given, **named: met.append((given, named)))
    parser = Parser("split", "text", split.EXAMPLES)
    split.arguments(parser)
    everywhere(parser)
    args: argparse.Namespace = parser.parse_args(list(words))
    split.call(args, print)
    return met[0]


def test_words_reach_the_verb(monkeypatch: pytest.MonkeyPatch) -> None:
    given, named = asked(monkeypatch, "data", "-o", "t.csv", "--test", "0.3", "--seed", "4", "--group", "clinic")
    assert given == ("data",) and named["out"] == "t.csv" and named["test"] == 0.3 and named["val"] == 0.1
    assert named["seed"] == 4 and named["group"] == "clinic" and named["folds"] is None


def test_a_table_must_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="--out"):
        asked(monkeypatch, "data")
