"""The SVG builder: scales, ticks, gaps, files that stand alone."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree
from itertools import pairwise

import pytest

from isocenter.report.svg import SERIES, Drawing, Frame, padded, path_of, percent, series_class, sign, tick_text, ticks


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0.93, 0.97), (-3, 40), (1e-4, 3e-4), (0, 12345)])
def test_ticks_are_round_inside_and_about_as_many_as_wanted(low: float, high: float) -> None:
    marks = ticks(low, high, 5)
    assert 3 <= len(marks) <= 7
    assert low <= marks[0] and marks[-1] <= high + 1e-9
    steps = {round(b - a, 12) for a, b in pairwise(marks)}
    assert len(steps) == 1
    assert f"{steps.pop():e}"[0] in "125"


@pytest.mark.parametrize(("low", "high"), [(1, 1), (math.nan, 1), (2, 1)])
def test_ticks_of_no_range_are_one_tick(low: float, high: float) -> None:
    assert len(ticks(low, high)) == 1


def test_tick_texts_differ_from_each_other() -> None:
    for low, high in ((0, 1), (0.9, 0.95), (0, 0.25), (-5, 5), (0, 1000)):
        marks = ticks(low, high)
        assert len({tick_text(m, marks) for m in marks}) == len(marks)
    assert tick_text(-0.5, [-0.5, 0.0, 0.5]) == "−0.5"


def test_ranges_hold_their_values_and_respect_bounds() -> None:
    assert padded([0.2, 1.0], ceiling=1.0)[1] == 1.0
    assert padded([0.0, 4.0], floor=0.0)[0] == 0.0
    low, high = padded([3.0, 3.0])
    assert low < 3 < high
    assert padded([math.nan]) == padded([0.0, 1.0])
    assert padded([-2.0, 1.0], floor=0.0)[0] <= -2.0


def test_scales_are_linear_and_y_grows_upwards() -> None:
    frame = Frame(Drawing(100, 100), (10, 20, 90, 80), (0, 2), (0, 1))
    assert frame.at(0, 0) == (10, 80)
    assert frame.at(2, 1) == (90, 20)
    assert frame.at(1, 0.5) == (50, 50)


def test_lines_break_where_a_number_is_missing() -> None:
    drawing = Drawing(100, 100)
    Frame(drawing, (0, 0, 100, 100), (0, 4), (0, 1)).line([0, 1, 2, 3, 4], [0, 1, math.nan, 1, 0], "s0")
    assert len(drawing.parts) == 2


def test_paths_and_percentages() -> None:
    assert path_of([(0, 0), (1.005, 2)], closed=True) == "M0,0 1,2Z"
    assert percent(5, (0, 10)) == "50%"
    assert percent(99, (0, 10)) == "100%"


def test_series_differ_in_colour_and_shape() -> None:
    signs = [sign((0, 0), i) for i in range(6)]
    assert len({s.split("class=")[0] for s in signs}) == 6
    assert len({series_class(i) for i in range(SERIES)}) == SERIES
    assert series_class(SERIES) == series_class(0)


def test_a_file_stands_alone_and_is_xml_whatever_it_says() -> None:
    drawing = Drawing(40, 30, "a < b & 'c' 肺")
    drawing.text((1, 2), "</svg><script>alert(1)</script> 肺")
    root = ElementTree.fromstring(drawing.file(".ch{fill:red}", "note <b>").encode("utf-8"))
    kinds = {e.tag.split("}")[1] for e in root.iter()}
    assert kinds == {"svg", "title", "desc", "style", "rect", "text"}
    assert root.findtext("{http://www.w3.org/2000/svg}text") == "</svg><script>alert(1)</script> 肺"


def test_inline_pictures_are_labelled() -> None:
    assert 'aria-label="what it shows"' in Drawing(1, 1, "what it shows").inline("wide")
