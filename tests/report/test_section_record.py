"""Problems, model card, what made it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from isocenter.data import Problem
from isocenter.report import Run
from isocenter.report.privacy import Codes
from isocenter.report.section_record import INPUTS, PROBLEMS, card_section, made_section, problems_section
from isocenter.report.view import View


@pytest.fixture
def view(key: bytes) -> View:
    return View(Codes(key, ["Mustermann_7"], spared=["segment", "unet"]))


def test_problems_are_sorted_by_weight_with_what_to_do(view: View, segmented: Callable[..., Run]) -> None:
    section = problems_section(view, segmented())
    assert section is not None
    text = section.body
    assert "1 error, 1 warning, 1 note" in text
    assert text.index("chip error") < text.index("chip warning") < text.index("chip note")
    assert "the file is cut short: got 12 KB, needed 30 KB." in text and "Copy it again" in text and "row 17" in text


def test_problems_name_nobody(view: View) -> None:
    problem = Problem(
        "leakage",
        "error",
        "Mustermann_7 is in train and test",
        "Mustermann_7",
        "/data/Mustermann/a.png",
        "x",
        "Ask Mustermann",
    )
    section = problems_section(view, Run("t", problems=(problem,)))
    assert section is not None
    assert "Mustermann" not in section.body
    assert section.body.count(view.codes.of("Mustermann_7")) == 2


def test_very_many_problems_are_cut_and_counted(view: View) -> None:
    section = problems_section(view, Run("t", problems=(Problem("a", "note", "x"),) * (PROBLEMS + 7)))
    assert section is not None and "7 more in problems.csv." in section.body


def test_the_card_is_a_section(view: View) -> None:
    section = card_section(view, Run("t", card={"intended_use": "Teaching."}))
    assert section is not None and "Teaching." in section.body and "not provided" in section.body


def test_what_made_it_shows_versions_inputs_and_the_command_without_paths(view: View) -> None:
    run = Run(
        "t",
        task="segment",
        command="isocenter compare segment /data/Mustermann --methods unet",
        made={
            "engine": "onnxruntime",
            "versions": {"numpy": "2.4"},
            "inputs": {"Mustermann_7": "ab" * 32},
            "weights_sha256": "cd" * 32,
        },
    )
    section = made_section(view, run)
    assert section is not None
    text = section.body
    for words in (
        "onnxruntime",
        "<code>numpy</code>",
        "ab" * 32,
        "weights sha256",
        "isocenter compare segment [",
        "--methods unet",
    ):
        assert words in text
    assert "Mustermann" not in text


def test_many_inputs_are_cut_and_point_to_the_file(view: View) -> None:
    section = made_section(view, Run("t", made={"inputs": {f"c{i}": "0" for i in range(INPUTS + 1)}}))
    assert section is not None and "inputs.csv" in section.body and f"({INPUTS + 1})" in section.body


@pytest.mark.parametrize("make", [problems_section, card_section, made_section])
def test_nothing_is_no_section(view: View, make: Callable[..., object]) -> None:
    assert make(view, Run("t")) is None
