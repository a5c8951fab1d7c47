from __future__ import annotations

import argparse
from typing import Any

import pytest

from isocenter.faces.arguments import Parser, everywhere
from isocenter.faces.commands import evaluate


def asked(monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What the command hands to the verb for these words."""
    met: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    monkeypatch.setattr(evaluate, "evaluate", lambda *given, **named: met.append((given, named)))
    parser = Parser("evaluate", "text", evaluate.EXAMPLES)
    evaluate.arguments(parser)
    everywhere(parser)
    args: argparse.Namespace = parser.parse_args(list(words))
    evaluate.call(args, print)
    return met[0]


def test_words_reach_the_verb(monkeypatch: pytest.MonkeyPatch) -> None:
    given, named = asked(
        monkeypatch, "segment/given", "data", "--by", "eye", "--abstain", "report", "--set", "column=c"
    )
    assert given == ("segment/given", "data") and named["split"] == "test" and named["by"] == "eye"
    assert named["abstain"] == "report" and named["settings"].values == {"column": "c"} and named["out"] is None
