from __future__ import annotations

import argparse
from typing import Any

import pytest

from isocenter.errors import UsageError
from isocenter.faces.arguments import Parser, everywhere
from isocenter.faces.commands import mosaic


def asked(monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What the command hands to the verb for these words."""
    met: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    monkeypatch.setattr(mosaic, "mosaic", lambda *given, **named: met.append((given, named)))
    parser = Parser("mosaic", "text", mosaic.EXAMPLES)
    mosaic.arguments(parser)
    everywhere(parser)
    args: argparse.Namespace = parser.parse_args(list(words))
    mosaic.call(args, print)
    return met[0]


def test_words_reach_the_verb(monkeypatch: pytest.MonkeyPatch) -> None:
    given, named = asked(monkeypatch, "a.png", "b.png", "-o", "out", "--positions", "content", "--spacing", "0.2,0.2")
    assert given == ("a.png", "b.png") and named["out"] == "out"
    assert named["headers"] is False and named["spacing"] == [0.2, 0.2]
    assert (named["kind"], named["exposure"], named["blend"], named["overwrite"]) == (None, "auto", "bands", False)
    assert asked(monkeypatch, "a", "-o", "o", "--positions", "headers")[1]["headers"] is True
    assert asked(monkeypatch, "a", "-o", "o", "--kind", "affine")[1] | {"report": None} == {
        "out": "o", "overwrite": False, "kind": "affine", "headers": None, "exposure": "auto", "blend": "bands",
        "report": None, "series": None, "axes": None, "spacing": None,
    }  # fmt: skip


def test_an_output_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="--out"):
        asked(monkeypatch, "a.png", "b.png")
