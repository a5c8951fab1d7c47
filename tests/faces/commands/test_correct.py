from __future__ import annotations

import argparse
from typing import Any

import pytest

from isocenter.errors import UsageError
from isocenter.faces.arguments import Parser, everywhere
from isocenter.faces.commands import correct


def asked(monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What the command hands to the verb for these words."""
    met: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    monkeypatch.setattr(correct, "correct", lambda *given, **named: met.append((given, named)))
    parser = Parser("correct", "text", correct.EXAMPLES)
    correct.arguments(parser)
    everywhere(parser)
    args: argparse.Namespace = parser.parse_args(list(words))
    correct.call(args, print)
    return met[0]


def test_words_reach_the_verb(monkeypatch: pytest.MonkeyPatch) -> None:
    given, named = asked(monkeypatch, "out", "slide7", "edited.tif", "--by", "A. Reader")
    assert given == ("out", "slide7", "edited.tif") and named == {"by": "A. Reader"}


def test_the_author_must_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="--by"):
        asked(monkeypatch, "out", "slide7", "edited.tif")
