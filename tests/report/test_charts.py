"""Charts of scores: every number lies where the scale puts it."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest

from isocenter.data import Score, Test
from isocenter.report.charts import (
    LINKED,
    SHOWN,
    Strip,
    apart,
    common_span,
    difference_bar,
    difference_span,
    finite,
    forest_chart,
    interval_bar,
    scale_bar,
    share_bar,
    spread,
    strip_chart,
    thinned,
)


def strip(values: list[float | None], name: str = "unet", series: int = 0, **more: object) -> Strip:
    return Strip(name, series, values, [f"c{i}" for i in range(len(values))], **more)  # type: ignore[arg-type]


def marks(text: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r'<circle cx="([-\d.]+)" cy="([-\d.]+)" r="3.6"', text)]


def test_every_case_is_a_mark_in_the_order_of_its_value() -> None:
    values: list[float | None] = [0.5, 0.9, None, 0.7, float("nan")]
    drawing = strip_chart([strip(values)], title="Dice", unit="", share=True, width=600)
    found = sorted(marks(drawing.inline()))
    assert len(found) == 3
    low, middle, high = (x for x, _ in found)
    assert (middle - low) == pytest.approx(high - middle, abs=0.02)
    assert "<title>c1: 0.900</title>" in drawing.inline()


def test_marks_of_equal_cases_do_not_cover_each_other() -> None:
    shifts = spread([100.0] * 7, 40)
    assert len(set(shifts)) == 7
    assert max(map(abs, shifts)) <= 40
    assert spread([0, 50, 100], 40) == [0, 0, 0]


def test_cases_are_joined_between_methods_only_when_few() -> None:
    few = [strip([0.1, None, 0.4]), strip([0.2, 0.3, 0.5], "b", 1)]
    assert strip_chart(few, title="t", unit="", share=True, width=600).inline().count('class="link"') == 2
    many = [strip([0.1] * (LINKED + 1)), strip([0.2] * (LINKED + 1), "b", 1)]
    assert 'class="link"' not in strip_chart(many, title="t", unit="", share=True, width=600).inline()


def test_many_cases_are_thinned_evenly_and_marked_ones_stay() -> None:
    pairs = list(enumerate(np.random.default_rng(0).random(9000).tolist()))
    kept = thinned(pairs, [17])
    assert SHOWN * 0.9 < len(kept) <= SHOWN + 1
    assert 17 in dict(kept)
    assert min(v for _, v in kept) == min(v for _, v in pairs)
    assert abs(np.median([v for _, v in kept]) - 0.5) < 0.02


def test_marked_cases_carry_their_word_and_words_stand_apart() -> None:
    drawing = strip_chart(
        [strip([0.9, 0.901, 0.902], marked={0: "worst", 1: "median", 2: "best"})],
        title="t",
        unit="",
        share=True,
        width=400,
    )
    text = drawing.inline()
    assert text.count('class="ring"') == 3
    xs = [float(x) for x in re.findall(r'<text x="([-\d.]+)"[^>]*class="called mid"', text)]
    assert len(xs) == 3 and xs == sorted(xs) and min(np.diff(xs)) > 20


def test_labels_are_moved_apart_and_stay_inside() -> None:
    centres = apart([(95, 20), (96, 20), (97, 20)], 100)
    assert centres[-1] <= 90
    assert all(b - a >= 28 for a, b in pairwise(centres))
    assert apart([(10, 20), (90, 20)], 200) == [10, 90]


def test_a_rule_is_drawn_where_the_threshold_is() -> None:
    drawing = strip_chart([strip([0.0, 1.0])], title="t", unit="", share=True, width=600, rule=0.5)
    x = float(re.findall(r'<line x1="([-\d.]+)"[^>]*class="rule"', drawing.inline())[0])
    ends = sorted(x for x, _ in marks(drawing.inline()))
    assert x == pytest.approx(sum(ends) / 2, abs=0.05)


def test_empty_strips_are_drawn_empty() -> None:
    text = strip_chart([strip([None, None])], title="Dice", unit="mm", share=False, width=600).inline()
    assert marks(text) == [] and "Dice (mm)" in text


def test_finite_drops_what_is_no_number() -> None:
    assert finite([1, None, float("nan"), float("inf"), 0]) == [(0, 1.0), (4, 0.0)]


def test_bars_hold_value_and_interval_at_their_place() -> None:
    text = interval_bar(Score(0.5, 0.25, 0.75, 9), 0, (0.0, 1.0))
    assert 'x1="25%" x2="75%"' in text and 'x="50%"' in text
    assert "whisker" not in interval_bar(Score(0.5, None, None, 1), 0, (0, 1))
    assert "mark" not in interval_bar(Score(None, None, None, 0), 0, (0, 1))


def test_difference_bars_show_zero() -> None:
    test = Test("a", "b", "dice", "all", 0.5, 0.0, 1.0, 0.01, 0.02, "paired bootstrap")
    low, high = difference_span([test])
    assert low < 0 < high
    assert 'class="zero"' in difference_bar(test, (low, high))


def test_scales_have_at_least_two_ticks() -> None:
    for span in ((0.705, 0.985), (0.0, 1.0), (0.41, 0.44), (-3.0, 90.0)):
        assert scale_bar(span).count("<text") >= 2


def test_shares_stay_within_0_and_1() -> None:
    scores = [Score(0.98, 0.95, 1.0, 9), Score(0.02, 0.0, 0.1, 9)]
    assert common_span(scores, share=True) == (0.0, 1.0)
    assert common_span([Score(None, None, None, 0)], share=True) == (0.0, 1.0)
    assert common_span([Score(5.0, 4.0, 9.0, 3, "mm")], share=False)[1] > 9


@pytest.mark.parametrize("value", [0.0000004, 0.5, 1.0, 17.0])
def test_numbers_that_are_printed_alike_are_not_drawn_apart(value: float) -> None:
    low, high = common_span([Score(value, value - 1e-7, value + 1e-7, 24)], share=value <= 1)
    assert 0.01 <= high - low < 0.1 and low <= value <= high


def test_a_share_bar_is_as_long_as_its_share() -> None:
    assert 'width="25%"' in share_bar(3, 12)
    assert 'width="0%"' in share_bar(0, 0)


@pytest.mark.parametrize("width", [370, 800])
def test_the_forest_names_every_method_even_long_and_chinese_ones(width: int) -> None:
    rows = [("unet", 0, Score(0.9, 0.8, 0.95, 9)), ("分割网络" * 20, 1, Score(0.5, None, None, 1))]
    drawing = forest_chart(rows, title="Dice", share=True, width=width)
    text = drawing.inline()
    assert "unet" in text and "分割" in text and "…" in text
    assert all(0 <= float(x) <= width for x in re.findall(r' x="([-\d.]+)"', text))
