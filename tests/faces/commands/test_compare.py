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
