from __future__ import annotations

import pytest

from isocenter.faces.arguments import Parser, everywhere
from isocenter.faces.commands import tune


def test_words_reach_the_verb(monkeypatch: pytest.MonkeyPatch) -> None:
    met = []
    monkeypatch.setattr(tune, "tune", lambda *given, **named: met.append((given, named)))
    parser = Parser("tune", "text", tune.EXAMPLES)
    tune.arguments(parser)
    everywhere(parser)
    words = ["segment", "data", "-o", "run", "--method", "unet", "--over", "width=8..64", "--over", "depth",
             "--trials", "9", "--time", "2h", "--epochs", "3", "--resume", "--seed", "4"]  # fmt: skip
    tune.call(parser.parse_args(words), print)
    [(given, named)] = met
    assert given == ("segment", "data") and named["out"] == "run" and named["method"] == "unet"
    assert named["over"] == ["width=8..64", "depth"] and named["trials"] == 9 and named["time"] == "2h"
    assert named["settings"].values == {"study.epochs": 3} and named["resume"] and named["seed"] == 4


def test_how_to_go_on() -> None:
    words = ["tune", "segment", "my data", "-o", "run", "--overwrite"]
    assert tune.resume(words) == "isocenter tune segment 'my data' -o run --resume"
