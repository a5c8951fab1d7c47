from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest

from isocenter.faces.arguments import Parser, everywhere
from isocenter.faces.commands import compare


def asked(monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What the command hands to the verb for these words."""
    met: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    monkeypatch.setattr(compare, "compare", lambda *given, **named: met.append((given, named)))
    parser = Parser("compare", "text", compare.EXAMPLES)
    compare.arguments(parser)
    everywhere(parser)
    args: argparse.Namespace = parser.parse_args(list(words))
    compare.call(args, print)
    return met[0]


def test_words_reach_the_verb(monkeypatch: pytest.MonkeyPatch) -> None:
    given, named = asked(monkeypatch, "segment", "data", "--methods", "a, b,c.bundle", "--folds", "5", "-o", "r")
    assert given == ("segment", "data") and named["methods"] == ["a", "b", "c.bundle"]
    assert named["folds"] == 5 and named["out"] == "r" and named["split"] == "test"


def test_reports_are_numbered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "compare-1").mkdir(parents=True)
    _, named = asked(monkeypatch, "segment", "data", "--methods", "a")
    assert named["out"] == Path("runs/compare-2")


def test_attacks_and_corruptions_reach_the_verb(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("classify", "data", "--methods", "a", "--attack", "pgd", "--epsilon", "1/255, 2/255", "--corrupt",
             "noise,blur", "--severity", "1,3", "--at-most", "40")  # fmt: skip
    _, named = asked(monkeypatch, *words)
    assert named["attack"] == "pgd" and named["epsilon"] == ["1/255", "2/255"]
    assert named["corrupt"] == ["noise", "blur"] and named["severity"] == [1, 3] and named["at_most"] == 40
    _, named = asked(monkeypatch, "classify", "data", "--methods", "a")
    assert named["attack"] is None and named["epsilon"] == [] == named["corrupt"]


def test_severities_are_whole_numbers() -> None:
    assert compare.numbers("1, 5") == [1, 5]
    with pytest.raises(argparse.ArgumentTypeError, match="whole numbers"):
        compare.numbers("1,bad")
