from __future__ import annotations

from typing import Any

import pytest

from isocenter.faces.arguments import Parser, everywhere
from isocenter.faces.commands import reproduce


def test_words_reach_the_verb(monkeypatch: pytest.MonkeyPatch) -> None:
    met: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    monkeypatch.setattr(reproduce, "reproduce", lambda *given, **named: met.append((given, named)))
    parser = Parser("reproduce", "text", reproduce.EXAMPLES)
    reproduce.arguments(parser)
    everywhere(parser)
    reproduce.call(parser.parse_args(["runs/chest", "-o", "again", "--anyway"]), print)
    given, named = met[0]
    assert given == ("runs/chest",) and named["out"] == "again" and named["anyway"] and not named["overwrite"]
