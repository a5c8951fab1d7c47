from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from isocenter.verbs._text import counted, duration, number, table, typed, width


def test_chinese_takes_two_columns() -> None:
    assert width("肺lung") == 6
    lines = table(("class", "n"), [("肺", "1"), ("liver", "22")], right=[1])
    assert {width(line) for line in lines} == {9}


def test_accents_take_none() -> None:
    assert width("e\u0301") == 1


@pytest.mark.parametrize(("value", "text"), [(-0.12345, "-0.123"), (99.999, "100.00"), (1234.5, "1234"), (0, "0.000")])
def test_numbers(value: float, text: str) -> None:
    assert number(value) == text


def test_durations_round_before_they_divide() -> None:
    assert duration(59.6) == "60 s"
    assert duration(119.6) == "2 min 0 s"
    assert duration(None) == "-"


def test_counts() -> None:
    assert counted(0, "case") == "0 cases"


def test_a_typed_path_is_one_word_of_a_shell() -> None:
    for path in ("my scans/a's.png", "a;b", "$x", "", "~x", "影像/甲 1.png"):
        assert shlex.split(typed(path)) == [path]
    assert typed(Path("影像") / "甲.png") == str(Path("影像") / "甲.png")
