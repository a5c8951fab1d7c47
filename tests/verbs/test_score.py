from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from isocenter.data import Case, Cases, NotEvaluated, Probabilities, Progress
from isocenter.errors import InputError
from isocenter.verbs._method import Method
from isocenter.verbs._score import answer_all, engine_of, peak_mb, summary


class Right:
    """Answers what the mean says: bright is b."""

    def predict(self, case: Case) -> Probabilities | NotEvaluated:
        mean = float(case.image().pixels().mean())
        if mean == 7:
            return NotEvaluated("seven", measured="7")
        if mean == 9:
            raise InputError("nine")
        p = 0.9 if mean > 100 else 0.1
        return Probabilities(("a", "b"), (1 - p, p))


def cases(levels: list[int]) -> Cases:
    x = np.stack([np.full((4, 4), v, np.uint8) for v in levels])
    return Cases.from_arrays(x, ["b" if v > 100 else "a" for v in levels], subjects=[f"p{i}" for i in range(len(x))])


def test_every_case_is_answered_and_scored() -> None:
    method = Method("right", "classify", "right", Right())
    made, said = cases([10, 200, 20, 210]), []
    answered = answer_all(method, made, report=said.append)
    assert [c.case for c in answered.scores] == [e.id for e in made.entries] and not answered.problems
    assert [p.share for p in said if isinstance(p, Progress)] == [0.25, 0.5, 0.75, 1.0]
    scores = summary(method, answered, cases=made, split="test", abstain="wrong", seed=0, threads=2)
    assert scores.metrics["accuracy"]["all"].value == 1.0 and scores.n_subjects == 4
    assert scores.threads == 2 and scores.engine == "numpy" and scores.seconds is not None


def test_a_refused_case_is_a_problem_and_no_answer_counts_as_wrong() -> None:
    method = Method("right", "classify", "right", Right())
    made = cases([10, 200, 7, 9])
    answered = answer_all(method, made, report=lambda p: None)
    assert len(answered.scores) == 3 and [p.where for p in answered.problems] == ["case0003"]
    assert answered.scores[2].note == "not evaluated: seven (measured 7)"
    scores = summary(method, answered, cases=made, split="test", abstain="wrong", seed=0, threads=1)
    assert scores.n_refused == 1 and scores.metrics["accuracy"]["all"].value == pytest.approx(2 / 3)
    beside = summary(method, answered, cases=made, split="test", abstain="report", seed=0, threads=1)
    assert beside.metrics["accuracy_answered"]["all"].value == 1.0


def test_a_case_without_truth_cannot_be_scored() -> None:
    made = Cases.from_arrays(np.zeros((2, 4, 4), np.uint8))
    answered = answer_all(Method("right", "classify", "right", Right()), made, report=lambda p: None)
    assert not answered.scores and "no truth" in answered.problems[0].what


def test_memory_is_measured() -> None:
    before = peak_mb()
    held = np.ones(40_000_000, np.uint8)
    after = peak_mb()
    assert before is not None and after is not None and after >= before and held.size


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="the peak is read from /proc")
def test_a_child_tells_its_own_peak() -> None:
    held = np.ones(300_000_000, np.uint8)
    script = "from isocenter.verbs._score import peak_mb; print(peak_mb())"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert held.size and 5 < float(run.stdout) < 250


def test_the_engine_is_that_of_the_plan() -> None:
    class Network(Right):
        about = {"network": {"name": "unet"}, "plan": {"engine": "openvino"}}

    assert engine_of(Method("n", "classify", "n", Network())) == "openvino"
    assert engine_of(Method("n", "classify", "n", Right())) == "numpy"
