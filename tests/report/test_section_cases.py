"""Case by case: points, and the worst, median and best case drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from isocenter.report import MethodResult, Picture, Run
from isocenter.report.privacy import Codes
from isocenter.report.section_cases import PICTURES, cases_section, lead_chart, pictures
from isocenter.report.view import View


@pytest.fixture
def view(key: bytes) -> View:
    return View(Codes(key), detail=0.25)


def test_every_case_of_every_method_is_a_mark_and_three_are_drawn(view: View, segmented: Callable[..., Run]) -> None:
    run = segmented()
    section = cases_section(view, run)
    assert section is not None
    answered = sum(1 for s in run.scores for _ in s.cases)
    wide = section.body.split('class="ch wide"')[1].split("</svg>")[0]
    assert wide.count(" dot") == answered
    assert wide.count('class="ring"') == sum(len(m.pictures) for m in run.methods)
    assert section.body.count('class="frame"') == 9
    assert sorted(n for n in view.figures if n.startswith("case-"))[0] == "case-histogram-1.svg"


def test_identifiers_are_codes_in_marks_and_captions(view: View, segmented: Callable[..., Run]) -> None:
    section = cases_section(view, segmented())
    assert section is not None
    assert "Quastenberg" not in section.body
    assert f"<code>{view.codes.of('Quastenberg_000')}</code>" in section.body or "Worst" in section.body


def test_truth_and_answer_can_be_switched_off(view: View, segmented: Callable[..., Run]) -> None:
    text = pictures(view, segmented())
    assert text is not None
    assert 'class="see-truth"' in text and 'class="see-answer"' in text
    assert "another class" not in text


def test_thin_regions_bring_their_legend(view: View) -> None:
    lines = np.zeros((200, 200), np.uint8)
    lines[::7] = 1
    shown = Picture(np.zeros((200, 200)), lines, lines, ("background", "vessel"), rank="worst", text="Dice 1.000")
    text = pictures(view, Run("t", methods=(MethodResult("unet", pictures=(shown,)),)))
    assert text is not None and "missed" in text and "another class" in text


def test_cases_without_regions_have_no_switches(view: View) -> None:
    shown = Picture(np.zeros((9, 9)), case="c", rank="worst", text="truth: sick; answer: normal (0.93)")
    text = pictures(view, Run("t", methods=(MethodResult("cnn", pictures=(shown,)),)))
    assert text is not None and "truth: sick" in text and "see-truth" not in text and "blue" not in text


def test_only_so_many_cases_are_drawn(view: View) -> None:
    many = tuple(Picture(np.zeros((4, 4)), case=f"c{i}") for i in range(PICTURES + 5))
    text = pictures(view, Run("t", methods=(MethodResult("unet", pictures=many),)))
    assert text is not None and text.count('class="frame"') == PICTURES


def test_a_classification_has_no_points_per_case(view: View, classified: Callable[..., Run]) -> None:
    assert cases_section(view, classified()) is None


def test_the_head_shows_all_methods_or_nothing_for_one(view: View, segmented: Callable[..., Run]) -> None:
    run = segmented()
    chart = lead_chart(view, run)
    assert chart is not None and all(m.name in chart for m in run.methods)
    assert lead_chart(view, replace(run, methods=run.methods[:1])) is None


def test_rings_are_spoken_of_only_where_there_are_some(view: View, segmented: Callable[..., Run]) -> None:
    run = segmented()
    bare = replace(run, methods=tuple(replace(m, pictures=()) for m in run.methods))
    with_rings, without = cases_section(view, run), cases_section(view, bare)
    assert with_rings is not None and "Ringed cases are drawn below" in with_rings.body
    assert without is not None and "Ringed" not in without.body


def test_lines_between_methods_are_spoken_of_only_where_there_are_two(
    view: View, segmented: Callable[..., Run]
) -> None:
    run = segmented()
    one = cases_section(view, replace(run, methods=run.methods[:1]))
    several = cases_section(view, run)
    assert one is not None and "pale lines" not in one.body and several is not None and "pale lines" in several.body


def test_pictures_warn_of_names_in_the_pixels(view: View, segmented: Callable[..., Run]) -> None:
    for run in (segmented(), Run("t", methods=(MethodResult("cnn", pictures=(Picture(np.zeros((9, 9)), case="c"),)),))):
        text = pictures(view, run)
        assert text is not None and text.count("look for names before you pass this page on") == 1
