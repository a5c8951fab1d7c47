from __future__ import annotations

import argparse
from typing import Any

import pytest

from isocenter.faces.arguments import Parser, everywhere
from isocenter.faces.commands import demo


def asked(monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What the command hands to the verb for these words."""
    met: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    monkeypatch.setattr(demo, "demo", lambda *given, **named: met.append((given, named)))
    parser = Parser("demo", "text", demo.EXAMPLES)
    demo.arguments(parser)
    everywhere(parser)
    args: argparse.Namespace = parser.parse_args(list(words))
    demo.call(args, print)
    return met[0]


def test_the_folder_and_the_options_reach_the_verb(monkeypatch: pytest.MonkeyPatch) -> None:
    _, named = asked(monkeypatch, "-o", "tour", "--overwrite", "--seed", "3")
    assert (named["out"], named["overwrite"], named["seed"]) == ("tour", True, 3)
    _, named = asked(monkeypatch)
    assert (named["out"], named["overwrite"]) == ("runs/demo", False)
