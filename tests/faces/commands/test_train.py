from __future__ import annotations

import argparse
from typing import Any

import pytest

from isocenter.faces.arguments import Parser, everywhere
from isocenter.faces.commands import train


def asked(monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What the command hands to the verb for these words."""
    met: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    monkeypatch.setattr(train, "train", lambda *given, **named: met.append((given, named)))
    parser = Parser("train", "text", train.EXAMPLES)
    train.arguments(parser)
    everywhere(parser)
    args: argparse.Namespace = parser.parse_args(list(words))
    train.call(args, print)
    return met[0]


def test_words_reach_the_verb(monkeypatch: pytest.MonkeyPatch) -> None:
    given, named = asked(
        monkeypatch, "segment", "data", "-o", "x.bundle", "--time", "20m", "--epochs", "3", "--set", "width=8",
        "--val-from", "train", "--seeds", "2", "--folds", "subject", "--device", "cpu",
    )
    assert given == ("segment", "data") and named["out"] == "x.bundle" and named["time"] == "20m"
    assert named["settings"].values == {"width": 8, "study.epochs": 3}
    assert named["settings"].origins == {"width": "--set", "study.epochs": "--epochs"}
    assert (named["val_from"], named["seeds"], named["folds"], named["device"]) == ("train", 2, "subject", "cpu")
    assert named["command"].startswith("isocenter") and not named["resume"]


def test_how_to_go_on() -> None:
    words = ["train", "segment", "my data", "-o", "x.bundle", "--overwrite", "--resume"]
    assert train.resume(words) == "isocenter train segment 'my data' -o x.bundle --resume"
