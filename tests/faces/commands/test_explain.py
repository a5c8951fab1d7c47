from __future__ import annotations

import argparse
from typing import Any

import pytest

from isocenter.errors import UsageError
from isocenter.faces.arguments import Parser, everywhere
from isocenter.faces.commands import explain


def asked(monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What the command hands to the verb for these words."""
    met: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    monkeypatch.setattr(explain, "explain", lambda *given, **named: met.append((given, named)))
    parser = Parser("explain", "text", explain.EXAMPLES)
    explain.arguments(parser)
    everywhere(parser)
    args: argparse.Namespace = parser.parse_args(list(words))
    explain.call(args, print)
    return met[0]


def test_words_reach_the_verb(monkeypatch: pytest.MonkeyPatch) -> None:
    given, named = asked(monkeypatch, "x.bundle", "a.png", "-o", "out", "--set", "kind=gradient")
    assert given == ("x.bundle", "a.png") and named["method"] is None and named["out"] == "out"
    assert named["settings"].values == {"kind": "gradient"} and named["checks"] is True and named["truth"] is None


def test_several_inputs_truth_and_no_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    given, named = asked(monkeypatch, "x.bundle", "CT=a.nii", "age=61", "-o", "o", "--truth", "m.png", "--no-checks")
    assert given == ("x.bundle", ["CT=a.nii", "age=61"])
    assert named["truth"] == "m.png" and named["checks"] is False and named["command"].startswith("isocenter")


def test_a_split_asks_for_all_its_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    met: list[Any] = []
    monkeypatch.setattr(explain, "explain_over", lambda *given, **named: met.append((given, named)))
    words = ["x.bundle", "DATA", "--split", "val", "--method", "grad-cam,occlusion, centre", "--target", "mask"]
    parser = Parser("explain", "text", explain.EXAMPLES)
    explain.arguments(parser)
    everywhere(parser)
    explain.call(parser.parse_args(words), print)
    given, named = met[0]
    assert given == ("x.bundle", "DATA") and named["methods"] == ["grad-cam", "occlusion", "centre"]
    assert named["split"] == "val" and named["target"] == "mask" and named["checks"] is True
    with pytest.raises(UsageError, match="-o OUT"):
        explain.call(parser.parse_args(["x.bundle", "a.png"]), print)


def test_features_of_a_split_are_its_patches(monkeypatch: pytest.MonkeyPatch) -> None:
    met: list[Any] = []
    monkeypatch.setattr(explain, "excite", lambda *given, **named: met.append((given, named)))
    parser = Parser("explain", "text", explain.EXAMPLES)
    explain.arguments(parser)
    everywhere(parser)
    words = ["x.bundle", "DATA", "--split", "val", "--method", "features", "-o", "o", "--set", "most=4"]
    explain.call(parser.parse_args(words), print)
    given, named = met[0]
    assert given == ("x.bundle", "DATA") and named["split"] == "val" and named["out"] == "o"
    assert named["settings"].values == {"most": 4}
