from __future__ import annotations

import argparse
from typing import Any

import pytest

from isocenter.faces.arguments import Parser, everywhere
from isocenter.faces.commands import doctor


def asked(monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What the command hands to the verb for these words."""
    met: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    monkeypatch.setattr(doctor, "doctor", lambda *given, **named: met.append((given, named)))
    parser = Parser("doctor", "text", doctor.EXAMPLES)
    doctor.arguments(parser)
    everywhere(parser)
    args: argparse.Namespace = parser.parse_args(list(words))
    doctor.call(args, print)
    return met[0]


def test_threads_reach_the_verb(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked(monkeypatch, "--threads", "3") == ((), {"threads": 3})
