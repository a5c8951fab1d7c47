from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest

from isocenter.errors import UsageError
from isocenter.faces.arguments import (
    Parser,
    assigned,
    everywhere,
    folds,
    leaking,
    options,
    reading,
    settings,
    studying,
    typed,
    value,
    words,
)


def parsed(*line: str) -> argparse.Namespace:
    parser = Parser("train", "learns", ["isocenter train"])
    for part in (reading, studying, leaking, everywhere):
        part(parser)
    return parser.parse_args(line)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("4", 4), ("0.5", 0.5), ("96,96,64", [96, 96, 64]), ("true", True), ("False", False), ("none", None),
     ("green", "green"), ("z,y", ["z", "y"]), ('{"use": "a/b"}', {"use": "a/b"}), ("[1, 2]", [1, 2])],
)
def test_values_are_read_as_what_they_look_like(text: str, expected: Any) -> None:
    assert value(text) == expected


def test_a_setting_without_a_sign_is_malformed() -> None:
    with pytest.raises(UsageError, match="FIELD=VALUE"):
        assigned(["study.epochs"])


def test_a_value_may_hold_a_sign() -> None:
    assert assigned(["name=a=b"]) == {"name": "a=b"}


def test_flags_win_over_set_and_set_wins_over_the_file(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.json"
    recipe.write_text('{"study": {"epochs": 1, "steps": 2, "patience": 3}}', encoding="utf-8")
    made = settings(
        parsed("--recipe", str(recipe), "--set", "study.epochs=10", "--set", "study.steps=20", "--epochs", "100")
    )
    assert made.values == {"study.epochs": 100, "study.steps": 20, "study.patience": 3}
    assert made.origins == {"study.epochs": "--epochs", "study.steps": "--set", "study.patience": "recipe file"}


def test_flags_have_the_names_of_textbooks() -> None:
    made = settings(parsed("--batch-size", "4", "--learning-rate", "0.01", "--patch", "64,64"))
    assert made.values == {"study.batch_size": 4, "study.learning_rate": 0.01, "study.patch": [64, 64]}


def test_options_hold_only_what_was_said() -> None:
    made = options(parsed("--target", "mask", "--facts", "age, sex", "--seed", "3"), print)
    assert made == {"target": "mask", "facts": ["age", "sex"], "seed": 3, "device": "auto", "report": print}


def test_an_unknown_option_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="--epoch"):
        parsed("--epoch", "3")
    assert capsys.readouterr().err == ""


def test_the_command_as_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/usr/bin/isocenter", "look", "my data"])
    assert typed() == "isocenter look 'my data'"
    assert folds("subject") == "subject" and folds("5") == 5


def test_words() -> None:
    assert words(" a,b , ") == ["a", "b"]
