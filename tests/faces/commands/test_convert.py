from __future__ import annotations

import argparse
from typing import Any

import pytest

from isocenter.faces.arguments import Parser, everywhere
from isocenter.faces.commands import convert


def asked(monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What the command hands to the verb for these words."""
    met: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    monkeypatch.setattr(convert, "convert", lambda *given, **named: met.append((given, named)))
    parser = Parser("convert", "text", convert.EXAMPLES)
    convert.arguments(parser)
    everywhere(parser)
    args: argparse.Namespace = parser.parse_args(list(words))
    convert.call(args, print)
    return met[0]


def test_words_reach_the_verb(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked(monkeypatch, "w.pth", "w.safetensors", "--overwrite") == (
        ("w.pth", "w.safetensors"),
        {"overwrite": True},
    )
