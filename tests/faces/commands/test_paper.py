from __future__ import annotations

from typing import Any

import pytest

from isocenter.faces.arguments import Parser, everywhere
from isocenter.faces.commands import paper


def test_words_reach_the_verb(monkeypatch: pytest.MonkeyPatch) -> None:
    met: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    monkeypatch.setattr(paper, "paper", lambda *given, **named: met.append((given, named)))
    parser = Parser("paper", "text", paper.EXAMPLES)
    paper.arguments(parser)
    everywhere(parser)
    paper.call(parser.parse_args(["runs/chest", "-o", "manuscript", "--overwrite"]), print)
    given, named = met[0]
    assert given == ("runs/chest",) and named == {"out": "manuscript", "overwrite": True}
