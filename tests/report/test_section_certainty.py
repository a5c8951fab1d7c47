"""Decision curves, sets and abstention as a reader sees them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from isocenter.data import CaseScore, Probabilities, Scores, Task
from isocenter.metrics import records, summarise
from isocenter.metrics.certainty import certainty
from isocenter.metrics.decision import decision_curve
from isocenter.report import Curves, MethodResult, Run
from isocenter.report.privacy import Codes
from isocenter.report.section_certainty import certainty_section, decision_chart
from isocenter.report.view import View

TASK = Task("classify", "Probabilities", ("image",), ("auc", "accuracy", "sensitivity", "ece"), "")
CLASSES = ("normal", "pneumonia")


def scores(seed: int, *, n: int = 200, useful: bool = True) -> Scores:
    rng = np.random.default_rng(seed)
    p = rng.random(n)
    truth = rng.random(n) < (p if useful else rng.random(n))
    cases = [
        CaseScore(f"c{i}", f"g{i}", records(TASK, Probabilities(CLASSES, (1 - p[i], p[i])),
                                             Probabilities.truth(CLASSES, [CLASSES[int(truth[i])]])))
        for i in range(n)
    ]
    return summarise(TASK, cases, method="cnn", split="test", positive="pneumonia", resamples=20)


@pytest.fixture(scope="module")
def run() -> Run:
    test = scores(1)
    sure = certainty(scores(0), test, coverage=0.9, risk=0.25)
    curves = Curves.of(test, "pneumonia", resamples=20)
    return Run("t", "classify", methods=(MethodResult("cnn", test, certainty=sure),), curves=(curves,))


def test_decision_curve_and_table(key: bytes, run: Run) -> None:
    view = View(Codes(key))
    section = certainty_section(view, run)
    assert section is not None and section.title == "How sure" and "decision.svg" in view.figures
    assert "proven to do more good than acting always or never at thresholds between" in section.body
    assert "sets that hold the truth (asked 0.9)" in section.body and "wrong among these (asked 0.25)" in section.body
    shown = run.methods[0].certainty
    assert shown is not None and f"{shown.covered['coverage']['all'].value:.3f}" in section.body
    assert "pneumonia against the rest, n = 200" in section.body


def test_the_chart_has_always_never_and_one_line_a_method() -> None:
    curve = decision_curve(scores(1), "pneumonia", resamples=50)
    assert curve is not None
    drawn = decision_chart([(0, "a", curve), (1, "b", curve)], size=(400, 300)).file("", "")
    assert drawn.count('class="curve') == 4 and drawn.count('class="band') == 2
    assert "nan" not in drawn.lower() and "Net benefit" in drawn


def test_a_method_that_guesses_is_said_to_prove_nothing(key: bytes) -> None:
    test = scores(3, useful=False)
    curves = Curves.of(test, "pneumonia", resamples=20)
    run = Run("t", "classify", methods=(MethodResult("cnn", test),), curves=(curves,))
    section = certainty_section(View(Codes(key)), run)
    assert section is not None and "at no threshold proven" in section.body
    assert "Sets and abstention" not in section.body


def test_no_section_where_nothing_classifies(key: bytes, segmented: Callable[..., Run], run: Run) -> None:
    assert certainty_section(View(Codes(key)), segmented()) is None
    bare = replace(run, curves=(), methods=(MethodResult("cnn", run.methods[0].scores),))
    assert certainty_section(View(Codes(key)), bare) is None
