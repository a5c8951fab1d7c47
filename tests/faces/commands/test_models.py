from __future__ import annotations

import argparse
from typing import Any

import pytest

from isocenter.faces.arguments import Parser, everywhere
from isocenter.faces.commands import models


def asked(monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What the command hands to the verb for these words."""
    met: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    monkeypatch.setattr(models, "models", lambda *given, **named: met.append((given, named)))
    parser = Parser("models", "text", models.EXAMPLES)
    models.arguments(parser)
    everywhere(parser)
    args: argparse.Namespace = parser.parse_args(list(words))
    models.call(args, print)
    return met[0]


def test_it_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked(monkeypatch) == ((), {})
