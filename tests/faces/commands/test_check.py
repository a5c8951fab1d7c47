from __future__ import annotations

import argparse
from typing import Any

import pytest

from isocenter.faces.arguments import Parser, everywhere
from isocenter.faces.commands import check


def asked(monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What the command hands to the verb for these words."""
    met: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    monkeypatch.setattr(check, "check", lambda *given, **named: met.append((given, named)))
    parser = Parser("check", "text", check.EXAMPLES)
    check.arguments(parser)
    everywhere(parser)
    args: argparse.Namespace = parser.parse_args(list(words))
    check.call(args, print)
    return met[0]


def test_words_reach_the_verb(monkeypatch: pytest.MonkeyPatch) -> None:
    given, named = asked(monkeypatch, "data", "--task", "classify", "--method", "cnn", "--target", "label",
                         "--group", "eye")
    assert given == ("data",)
    assert named == {"task": "classify", "method": "cnn", "target": "label", "group": "eye", "role": None}
