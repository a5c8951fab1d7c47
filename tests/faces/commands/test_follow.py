"""Words of the command become arguments of the verb."""

from __future__ import annotations

import argparse
from typing import Any

import pytest

from isocenter.errors import UsageError
from isocenter.faces.arguments import Parser, everywhere
from isocenter.faces.commands import follow


def asked(monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What the command hands to the verb for these words."""
    met: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    monkeypatch.setattr(follow, "follow", lambda *given, **named: met.append((given, named)))
    parser = Parser("follow", "text", follow.EXAMPLES)
    follow.arguments(parser)
    everywhere(parser)
    args: argparse.Namespace = parser.parse_args(list(words))
    follow.call(args, print)
    return met[0]


def test_examinations_with_images_dates_and_names(monkeypatch: pytest.MonkeyPatch) -> None:
    given, named = asked(
        monkeypatch, "a.nii.gz", "b.nii.gz", "--images", "x.nii.gz", "y.nii.gz", "--dates", "2024-01-01", "2024-04-01",
        "--names", "1=liver,2=node", "--register", "intensity", "--set", "family=affine", "--repeatability",
        "size=12,diameter=5", "--least", "4", "-o", "out", "--whole", "--nodes", "lymph,station",
    )
    assert given == (["a.nii.gz", "b.nii.gz"],)
    assert named["images"] == ["x.nii.gz", "y.nii.gz"] and named["dates"] == ["2024-01-01", "2024-04-01"]
    assert named["names"] == {1: "liver", 2: "node"} and named["nodes"] == ["lymph", "station"]
    assert named["register"] == "intensity" and named["settings"] == {"family": "affine"}
    assert named["repeatability"] == {"size": 12.0, "diameter": 5.0}
    assert (named["least"], named["whole"], named["out"]) == (4.0, True, "out")


def test_a_table_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    given, named = asked(monkeypatch, "exams.csv", "--date", "scanned", "--target", "mask")
    assert given == ("exams.csv",) and named["date"] == "scanned" and named["target"] == "mask"
    assert named["register"] is None and named["names"] is None


def test_what_is_no_percentage_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="percentages"):
        asked(monkeypatch, "a", "b", "--repeatability", "size=much")
