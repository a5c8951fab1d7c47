from __future__ import annotations

import argparse
from typing import Any

import pytest

from isocenter.errors import UsageError
from isocenter.faces.arguments import Parser, everywhere
from isocenter.faces.commands import predict


def asked(monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What the command hands to the verb for these words."""
    met: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    monkeypatch.setattr(predict, "predict", lambda *given, **named: met.append((given, named)))
    parser = Parser("predict", "text", predict.EXAMPLES)
    predict.arguments(parser)
    everywhere(parser)
    args: argparse.Namespace = parser.parse_args(list(words))
    predict.call(args, print)
    return met[0]


def test_words_reach_the_verb(monkeypatch: pytest.MonkeyPatch) -> None:
    given, named = asked(monkeypatch, "x.bundle", "a.png", "b.png", "-o", "out", "--overwrite", "--threads", "2")
    assert given == ("x.bundle", ["a.png", "b.png"]) and named["out"] == "out" and named["overwrite"]
    assert named["threads"] == 2 and named["settings"].values == {}


def test_what_a_file_does_not_say_can_be_said(monkeypatch: pytest.MonkeyPatch) -> None:
    _, named = asked(monkeypatch, "b", "f/", "-o", "o", "--series", "2", "--axes", "tyx", "--spacing", "3,0.5,0.5")
    assert (named["series"], named["axes"], named["spacing"]) == (2, "tyx", [3.0, 0.5, 0.5])
    _, named = asked(monkeypatch, "b", "f/", "-o", "o", "--series", "T1 axial")
    assert (named["series"], named["axes"], named["spacing"]) == ("T1 axial", None, None)
    with pytest.raises(UsageError, match="not a spacing"):
        asked(monkeypatch, "b", "f/", "-o", "o", "--spacing", "wide")


def test_how_to_go_on() -> None:
    assert predict.resume(["predict", "b", "a.png", "-o", "out"]) == "isocenter predict b a.png -o out"


def test_formats_are_words_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    named = asked(monkeypatch, "x", "a.png", "-o", "out", "--as", "geojson,roiset")[1]
    assert named["formats"] == ["geojson", "roiset"]
    assert asked(monkeypatch, "x", "a.png", "-o", "out")[1]["formats"] == []
