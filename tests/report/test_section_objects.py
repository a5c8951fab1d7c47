"""Counts, sizes and curves of objects as a reader sees them."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter import catalog
from isocenter.data import Boxes, CaseScore, Geometry, Scores
from isocenter.metrics import records, summarise
from isocenter.report import MethodResult, Run
from isocenter.report.privacy import Codes
from isocenter.report.section_objects import objects_section, stepped
from isocenter.report.section_scores import per_class
from isocenter.report.view import View, series_of

TASK = catalog.task("detect")
GRID = Geometry((60, 60))
NAMES = ("<red>", "white")


@pytest.fixture
def view(key: bytes) -> View:
    return View(Codes(key), detail=0.25)


def boxes(rng: np.random.Generator, n: int, scored: bool) -> Boxes:
    low = rng.integers(0, 40, (n, 2)) - 0.5
    edges = np.stack([low, low + rng.integers(3, 18, (n, 1))], axis=1)
    return Boxes(edges, rng.integers(0, 2, n), NAMES, GRID, rng.uniform(0.3, 1, n) if scored else None)


def scores(method: str, seed: int) -> Scores:
    rng, truths = np.random.default_rng(seed), np.random.default_rng(0)
    cases = []
    for i in range(6):
        truth = boxes(truths, 5, scored=False)
        answer = Boxes(truth.edges[:4], truth.labels[:4], NAMES, GRID, rng.uniform(0.3, 1, 4))
        cases.append(CaseScore(f"c{i}", f"g{i}", records(TASK, answer, truth)))
    return summarise(TASK, cases, method=method, split="test", resamples=50)


def run() -> Run:
    return Run("t", "detect", methods=tuple(MethodResult(m, scores(m, k)) for k, m in enumerate(("yolo", "ssd"))))


def test_counts_sizes_and_curves(view: View) -> None:
    section = objects_section(view, run())
    assert section is not None
    for words in ("By class", "By size", "smallest third", "area up to", "False positives an image", "Precision"):
        assert words in section.body, words
    assert "&lt;red&gt;" in section.body and "<red>" not in section.body
    assert {"precision-recall.svg", "froc.svg"} <= set(view.figures)
    # 2 methods, 2 classes, and 30 true boxes each.
    rows = section.body.split("By size")[0].count("<tr>") - 1
    assert rows == 4


def test_thirds_are_no_classes() -> None:
    made = run()
    text = per_class(made, series_of(made))
    assert text is not None and "third" not in text


def test_other_tasks_have_no_such_section(view: View) -> None:
    assert objects_section(view, Run("t", "segment")) is None


def test_a_curve_rises_in_steps_and_goes_on_to_the_edge() -> None:
    x, y = stepped(np.array([[0.0, 0.5, 1.0, 9.0], [0.0, 0.4, 0.6, 0.9]]), 2.0)
    assert x.tolist() == [0.0, 0.5, 0.5, 1.0, 1.0, 2.0, 2.0] and y.tolist() == [0.0, 0.0, 0.4, 0.4, 0.6, 0.6, 0.6]
    assert np.all(np.diff(x) >= 0) and np.all(np.diff(y) >= 0)
