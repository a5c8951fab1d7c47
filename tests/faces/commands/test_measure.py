from __future__ import annotations

import argparse
from typing import Any

import pytest

from isocenter.errors import UsageError
from isocenter.faces.arguments import Parser, everywhere
from isocenter.faces.commands import measure


def asked(monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What the command hands to the verb for these words."""
    met: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    monkeypatch.setattr(measure, "measure", lambda *given, **named: met.append((given, named)))
    parser = Parser("measure", "text", measure.EXAMPLES)
    measure.arguments(parser)
    everywhere(parser)
    args: argparse.Namespace = parser.parse_args(list(words))
    measure.call(args, print)
    return met[0]


def test_words_reach_the_verb(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("a.tif", "b.tif", "-o", "t.xlsx", "--names", "1=liver, 2=tumour", "--parts", "--stain", "hdab")
    given, named = asked(monkeypatch, *words, "--thresholds", "0.1,0.2,0.3", "--spacing", "3,1,1")
    assert given == ("a.tif", "b.tif") and named["out"] == "t.xlsx" and named["parts"]
    assert named["names"] == {1: "liver", 2: "tumour"} and named["thresholds"] == [0.1, 0.2, 0.3]
    assert named["stain"] == "hdab" and named["spacing"] == [3.0, 1.0, 1.0] and named["relations"] is False


def test_a_reach_asks_for_relations_and_columns_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    given, named = asked(monkeypatch, "cine/", "--reach", "5", "--frame", "phase", "--slice", "z", "--given", "pred")
    assert given == ("cine/", None) and named["relations"] and named["reach"] == 5.0
    assert (named["frame"], named["slice"], named["given"]) == ("phase", "z", "pred")
    assert named["names"] is None and named["thresholds"] is None


@pytest.mark.parametrize("words", [("--names", "liver"), ("--names", "a=liver"), ("--names", "1="),
                                   ("--thresholds", "a,b,c"), ("--stain", "masson"), ("--reach", "far")])
def test_malformed_words_are_refused(monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        asked(monkeypatch, "labels.tif", *words)
