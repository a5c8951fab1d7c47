from __future__ import annotations

import argparse
from typing import Any

import pytest

from isocenter.faces.arguments import Parser, everywhere
from isocenter.faces.commands import look


def asked(monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What the command hands to the verb for these words."""
    met: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    monkeypatch.setattr(look, "look", lambda *given, **named: met.append((given, named)))
    parser = Parser("look", "text", look.EXAMPLES)
    look.arguments(parser)
    everywhere(parser)
    args: argparse.Namespace = parser.parse_args(list(words))
    look.call(args, print)
    return met[0]


def test_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked(monkeypatch, "a", "b") == (("a", "b"), {})
