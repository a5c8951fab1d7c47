"""Numbers and names as a person reads them."""

from __future__ import annotations

import math

import pytest

from isocenter.data import Score
from isocenter.report.wording import (
    MINUS,
    counted,
    decimals,
    digits,
    duration,
    estimate,
    flag_text,
    listed,
    memory,
    metric_name,
    p_text,
    score_text,
    target_name,
)


@pytest.mark.parametrize(
    ("score", "text"),
    [
        (Score(0.9531, 0.941, 0.9644, 20), "0.953 (0.941 to 0.964), n = 20"),
        (Score(5.432, 2.1, 10.24, 7, "mm"), "5.4 mm (2.1 to 10.2), n = 7"),
        (Score(1234.5, 1000.2, 1500.7, 9, "ml"), "1234 ml (1000 to 1501), n = 9"),
        (Score(None, None, None, 0), "undefined, n = 0"),
        (Score(1.0, None, None, 1), "1.000 (no interval), n = 1"),
    ],
)
def test_a_score_says_value_interval_unit_and_n(score: Score, text: str) -> None:
    assert score_text(score) == text


def test_neighbours_share_their_decimals() -> None:
    assert estimate(Score(3.84, 0.31, 7.35, 24, "mm"), 1) == ("3.8 mm", "(0.3 to 7.3)")


def test_decimals_follow_the_largest_number() -> None:
    assert decimals([0.1, None, 0.9]) == 3
    assert decimals([0.1, 12.0], "mm") == 1
    assert decimals([], "mm") == 2
    assert decimals([math.inf, 5.0], "mm") == 2


def test_minus_is_a_minus_and_never_stands_before_zero() -> None:
    assert digits(-0.25, 2) == f"{MINUS}0.25"
    assert digits(-0.0004, 3) == "0.000"
    assert digits(math.nan) == "undefined"


@pytest.mark.parametrize(
    ("p", "text"), [(0.0009, "< 0.001"), (0.001, "0.001"), (0.0499, "0.050"), (0.1, "0.10"), (1.0, "1.00"), (None, "–")]
)
def test_p_values_as_papers_print_them(p: float | None, text: str) -> None:
    assert p_text(p) == text


def test_times_and_memory() -> None:
    assert [duration(s) for s in (None, 0.05, 12.34, 59.99, 3599, 7260)] == [
        "",
        "50 ms",
        "12.3 s",
        "60.0 s",
        "59 min 59 s",
        "2 h 1 min",
    ]
    assert [memory(m) for m in (None, 512.2, 2210.0)] == ["", "512 MB", "2.2 GB"]


def test_names() -> None:
    assert metric_name("hd95") == "HD95"
    assert metric_name("my_metric") == "My metric"
    assert target_name("all") == "all classes"
    assert target_name("all of it") == "all of it"
    assert "10 subjects" in flag_text("few_subjects")
    assert flag_text("never_seen") == "never seen"


def test_sentences() -> None:
    assert [counted(n, "case") for n in (0, 1, 2)] == ["0 cases", "1 case", "2 cases"]
    assert counted(2, "copy", "copies") == "2 copies"
    assert [listed(n) for n in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]
