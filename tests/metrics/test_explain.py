"""The record of an explanation."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter import catalog
from isocenter.data import Attribution, CaseScore, Geometry, NotEvaluated
from isocenter.metrics import records, summarise

TASK = catalog.task("explain")


def made(completeness: float | None) -> Attribution:
    return Attribution(np.zeros((3, 3), np.float32), Geometry((3, 3)), "ill", "grad-cam", completeness)


def test_completeness_is_averaged_over_methods_that_have_it() -> None:
    answers = [made(0.01), made(0.03), made(None), NotEvaluated("no gradient")]
    cases = [CaseScore(f"c{i}", f"g{i}", records(TASK, a)) for i, a in enumerate(answers)]
    score = summarise(TASK, cases, method="m", split="test", resamples=50).metrics["completeness"]["all"]
    assert score.value == pytest.approx(0.02) and score.n == 2 and "few_subjects" in score.flags


def test_nothing_to_average() -> None:
    cases = [CaseScore("c", "g", records(TASK, made(None)))]
    score = summarise(TASK, cases, method="m", split="test", resamples=50).metrics["completeness"]["all"]
    assert score.value is None and score.n == 0 and score.flags == ("undefined",)
