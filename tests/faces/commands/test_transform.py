from __future__ import annotations

import argparse
from typing import Any

import pytest

from isocenter.faces.arguments import Parser, everywhere
from isocenter.faces.commands import transform


def asked(monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What the command hands to the verb for these words."""
    met: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    monkeypatch.setattr(transform, "transform", lambda *given, **named: met.append((given, named)))
    parser = Parser("transform", "text", transform.EXAMPLES)
    transform.arguments(parser)
    everywhere(parser)
    args: argparse.Namespace = parser.parse_args(list(words))
    transform.call(args, print)
    return met[0]


def test_moves_keep_the_order_in_which_they_were_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("a.png", "-o", "out", "--rotate", "-15", "--flip", "x", "--crop", ":10,:20", "--rotate", "15")
    given, named = asked(monkeypatch, *words)
    assert given == ("a.png",) and named["out"] == "out"
    assert named["moves"] == [("rotate", "-15"), ("flip", "x"), ("crop", ":10,:20"), ("rotate", "15")]
    assert (named["by"], named["to"], named["inverse"], named["order"], named["outside"]) == (
        None, None, False, "linear", 0.0,
    )  # fmt: skip


def test_transforms_and_companions_reach_the_verb(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("mr.nii.gz", "-o", "o", "--by", "t.tfm", "--to", "ct.nii.gz", "--inverse", "--masks", "a", "--masks", "b")
    _, named = asked(monkeypatch, *words, "--points", "p.csv", "--outside", "-1000", "--spacing", "3,1,1")
    assert (named["by"], named["to"], named["inverse"]) == ("t.tfm", "ct.nii.gz", True)
    assert (named["masks"], named["points"], named["boxes"], named["moves"]) == (["a", "b"], ["p.csv"], [], [])
    assert named["outside"] == -1000 and named["spacing"] == [3.0, 1.0, 1.0]


def test_two_calls_do_not_share_their_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    asked(monkeypatch, "a", "-o", "o", "--flip", "x")
    assert asked(monkeypatch, "a", "-o", "o", "--flip", "y")[1]["moves"] == [("flip", "y")]
