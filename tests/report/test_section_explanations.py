"""What an answer rests on, and the checks that say whether to believe it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isocenter.report import Explanation, Run
from isocenter.report.privacy import Codes
from isocenter.report.section_explanations import (
    EXPLANATIONS,
    CheckedExplanation,
    check_rows,
    curve_chart,
    explanations_section,
)
from isocenter.report.view import View

NUMBERS = {"deletion": 0.2, "deletion_random": 0.5, "insertion": 0.4, "insertion_random": 0.6, "randomised": 0.03}


@pytest.fixture
def view(key: bytes) -> View:
    return View(Codes(key, ["Mustermann_7"]), detail=0.25)


@pytest.fixture
def checked() -> CheckedExplanation:
    image = np.random.default_rng(0).normal(size=(20, 30))
    truth = np.zeros((20, 30), bool)
    truth[4:9, 5:12] = True
    shares = np.linspace(0, 1, 5)
    curves = dict.fromkeys(("deletion", "insertion"), (shares, 1 - shares, 1 - 0.5 * shares))
    return CheckedExplanation(
        image, np.where(truth, 1.0, -0.1), "tumour", "occlusion", "Mustermann_7", None, NUMBERS, "answer: tumour 0.93",
        curves, truth, "probability of tumour",
    )  # fmt: skip


def test_they_stand_beside_their_picture_with_their_numbers(view):
    image, values = np.random.default_rng(0).normal(size=(20, 30)), np.zeros((20, 30))
    one = Explanation(image, values, "tumour", "grad-cam", "Mustermann_7", None, {"completeness_error": 0.00421})
    section = explanations_section(view, Run("t", explanations=(one,) * (EXPLANATIONS + 3)))
    assert section is not None
    assert section.body.count('class="frame pair"') == EXPLANATIONS
    assert "completeness error 0.004" in section.body and "Mustermann" not in section.body
    assert "outline of the truth" not in section.body and "Random order" not in section.body
    assert explanations_section(view, Run("t")) is None


def test_one_is_large_with_its_checks_curves_and_truth(view, checked):
    section = explanations_section(view, Run("t", explanations=(checked,)))
    assert section is not None
    for words in ("one-pair", "outline of the truth", "better than chance", "no better than chance",
                  "the map depends on what was learnt", "probability of tumour", 'class="truth pale"'):
        assert words in section.body
    assert "answer: tumour 0.93" in section.body and "Mustermann" not in section.body
    assert set(view.figures) == {"explanation-1.svg", "deletion-1.svg", "insertion-1.svg"}
    assert "<h3>" not in section.body


def test_several_are_told_apart(view, checked):
    other = replace(checked, target="cyst", truth=None)
    section = explanations_section(view, Run("t", explanations=(checked, other)))
    assert section.body.count("<h3>") == 2 and "cyst by occlusion" in section.body
    assert {"deletion-1.svg", "deletion-2.svg"} <= set(view.figures)


def test_without_checks_there_is_no_table(view, checked):
    section = explanations_section(view, Run("t", explanations=(replace(checked, numbers={}, curves={}),)))
    assert "Random order" not in section.body and "frame pair" in section.body


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ({"deletion": 0.2, "deletion_random": 0.5}, "better than chance"),
        ({"deletion": 0.5, "deletion_random": 0.5}, "no better than chance"),
        ({"insertion": 0.5134, "insertion_random": 0.5129}, "no better than chance"),
        ({"insertion": 0.7, "insertion_random": 0.5}, "better than chance"),
        ({"insertion": 0.4, "insertion_random": 0.5}, "no better than chance"),
        ({"randomised": 0.9}, "stays the same: the map shows the image, not what was learnt"),
        ({"randomised": -0.7}, "stays the same: the map shows the image, not what was learnt"),
        ({"randomised": 0.1}, "changes: the map depends on what was learnt"),
        ({"completeness": 0.004}, "adds up to the change of the answer"),
        ({"completeness": 0.04}, "does not add up"),
        ({"pointing_game": 1.0}, "the highest pixel lies in the truth"),
        ({"pointing_game": 0.0}, "the highest pixel lies outside the truth"),
        ({"iou_same_size": 0.25}, "1 is the same place, 0 another"),
    ],
)
def test_every_check_in_words(numbers, words):
    rows = check_rows(numbers)
    assert len(rows) == 1 and len(rows[0]) == 4 and rows[0][3] == words


def test_the_curves_are_where_their_numbers_are():
    shares = np.array([0.0, 0.5, 1.0])
    drawing = curve_chart("deletion", (shares, np.array([1.0, 0.2, 0.0]), shares), answer="p", size=(385, 260))
    text = drawing.inline()
    assert "this map" in text and "random order" in text and "Share of pixels taken away" in text
    # Two lines, two of three marks each beside those of the legend.
    assert text.count('class="curve') == 2 and text.count('class="mark') == 8
