"""Answers and truths as a reader sees them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from isocenter import catalog
from isocenter.data import CaseScore, NotEvaluated, Scores, Value, Values
from isocenter.metrics import bland_altman, records, summarise
from isocenter.report import MethodResult, Run
from isocenter.report.page import page
from isocenter.report.privacy import Codes
from isocenter.report.section_numbers import MARKS, answered, numbers_section, scatter_chart
from isocenter.report.view import View

TASK = catalog.task("regress")
RNG = np.random.default_rng(0)
TRUTH = RNG.uniform(20, 80, 24)


@pytest.fixture
def view(key: bytes) -> View:
    return View(Codes(key), detail=0.25)


def scores(method: str, answer: Any, *, subjects: int = 24) -> Scores:
    cases = []
    for i, (t, a) in enumerate(zip(TRUTH, answer, strict=True)):
        found = NotEvaluated("dark") if np.isnan(a) else Values({"<age>": Value(float(a), "years", a - 5, a + 5)})
        cases.append(CaseScore(f"c{i}", f"g{i % subjects}", records(TASK, found, Values.truth("<age>", t, "years"))))
    return summarise(TASK, cases, method=method, split="test", resamples=50)


def run(*told: Scores) -> Run:
    return Run("t", "regress", methods=tuple(MethodResult(s.method, s) for s in told))


def test_scatter_differences_and_limits(view: View) -> None:
    near, far = scores("near", TRUTH + 1), scores("far", TRUTH + RNG.normal(0, 9, 24))
    section = numbers_section(view, run(near, far))
    assert section is not None and section.title == "Answers and truths"
    for words in ("Answer over truth", "Answer less truth", "Lower limit", "&lt;age&gt;", "1.00 years"):
        assert words in section.body, words
    assert "<age>" not in section.body
    assert {"scatter--age--near.svg", "bland-altman--age--far.svg"} <= set(view.figures)
    found = bland_altman(*answered(far, "<age>")[::-1], unit="years")
    assert f"{found.bias.value:.1f} years".replace("-", "\N{MINUS SIGN}") in section.body
    whole = page(view, run(near))
    assert "Mean absolute error" in whole and "Within the 90 % interval" in whole and "Answers and truths" in whole


def test_cases_without_an_answer_are_left_out_and_subjects_said(view: View) -> None:
    answer = TRUTH.copy()
    answer[:4] = np.nan
    told = scores("some", answer, subjects=12)
    assert len(answered(told, "<age>")[0]) == 20
    section = numbers_section(view, run(told))
    assert section is not None and "20 (12 subjects)" in section.body


def test_there_is_nothing_to_draw_without_answers_or_for_other_questions(view: View) -> None:
    assert numbers_section(view, run(scores("none", np.full(24, np.nan)))) is None
    assert numbers_section(view, Run("t", "classify")) is None


def test_of_many_cases_some_are_drawn_the_ends_among_them() -> None:
    truth = np.random.default_rng(1).normal(50, 10, 3000)
    drawn = scatter_chart(truth, truth, 0, "x")
    assert MARKS - 5 <= str(drawn.inline()).count("<circle") <= MARKS + 5
