"""Curves, data, plan, samples, learning."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from isocenter.report import Data, MethodResult, Picture, Run
from isocenter.report.privacy import Codes
from isocenter.report.section_study import (
    SAMPLES,
    class_table,
    curves_section,
    data_section,
    learning_section,
    plan_section,
    samples_section,
    split_table,
)
from isocenter.report.view import View


@pytest.fixture
def view(key: bytes) -> View:
    return View(Codes(key, ["Mustermann_7"]), detail=0.25)


def test_curves_say_threshold_split_and_area(view: View, classified: Callable[..., Run]) -> None:
    section = curves_section(view, classified())
    assert section is not None
    assert "cnn: threshold 0.42, chosen on val; linear: threshold 0.37, chosen on val" in section.body
    assert "area under the ROC curve 0.9" in section.body and "n = 120" in section.body
    assert set(view.figures) == {
        "roc.svg",
        "reliability.svg",
        "confusion-cnn.svg",
        "confusion-linear.svg",
        "probabilities-cnn.svg",
        "probabilities-linear.svg",
    }


def test_data_show_splits_classes_and_what_was_allowed(view: View, segmented: Callable[..., Run]) -> None:
    section = data_section(view, segmented())
    assert section is not None
    for words in (
        "simulated-kidneys",
        "Image size",
        "112 x 112 pixels",
        "88 (92 %)",
        "2 rows left out: truth cell is empty",
    ):
        assert words in section.body


def test_unknown_subjects_are_not_counted(view: View) -> None:
    data = Data("set", {"test": {"cases": 9, "subjects": 9}}, subjects_known=False)
    assert ">unknown<" in (split_table(data) or "")
    section = data_section(view, Run("t", data=data))
    assert section is not None and "Patients unknown" in section.body


def test_empty_tables_are_left_out(view: View) -> None:
    assert split_table(Data()) is None and class_table(Data()) is None
    assert class_table(Data(counts={"test": {"a": 0}})) is not None


def test_changed_settings_stand_before_defaults(view: View, segmented: Callable[..., Run]) -> None:
    section = plan_section(view, segmented())
    assert section is not None
    text = section.body
    assert text.index("study.epochs") < text.index("<details>") < text.index("study.learning_rate")
    assert '<span class="chip">--set</span>' in text
    assert "Other settings (4)" in text


def test_a_plan_without_origins_is_listed_whole(view: View) -> None:
    section = plan_section(view, Run("t", plan={"a": {"b": None}}))
    assert section is not None and "All settings (1)" in section.body and "<code>a.b</code>" in section.body


def test_settings_that_name_a_person_are_coded(view: View) -> None:
    section = plan_section(view, Run("t", plan={"file": "/home/x/Mustermann_7/plan.json"}))
    assert section is not None and "Mustermann" not in section.body


def test_at_most_sixteen_samples_are_shown(view: View) -> None:
    sample = Picture(np.random.default_rng(0).normal(size=(12, 12)), np.ones((12, 12), np.uint8), text="rotated")
    section = samples_section(view, Run("t", samples=(sample,) * 40))
    assert section is not None and section.body.count('class="frame"') == SAMPLES


def test_learning_curves_of_run_and_methods(view: View) -> None:
    history = [{"epoch": 1, "loss": 2.0, "score": 0.1}, {"epoch": 2, "loss": 1.0, "score": 0.2}]
    section = learning_section(
        view, Run("t", history=history, methods=(MethodResult("U-Net", history=history[:1]), MethodResult("b")))
    )
    assert section is not None
    assert set(view.figures) == {"loss.svg", "score.svg", "loss-u-net.svg", "score-u-net.svg"}


def test_what_run_and_method_share_is_shown_once(view: View) -> None:
    history = [{"epoch": 1, "loss": 2.0}, {"epoch": 2, "loss": 1.0}]
    run = Run(
        "t", plan={"a": 1}, history=history, methods=(MethodResult("unet", plan={"a": 1}, history=tuple(history)),)
    )
    learnt, plan = learning_section(view, run), plan_section(view, run)
    assert learnt is not None and learnt.body.count("<figure") == 1
    assert plan is not None and plan.body.count("<code>a</code>") == 1


def test_a_history_without_numbers_is_no_chart(view: View) -> None:
    assert learning_section(view, Run("t", history=[{"epoch": 1, "note": "x"}])) is None


@pytest.mark.parametrize(
    "make", [curves_section, data_section, plan_section, samples_section, learning_section]
)
def test_nothing_is_no_section(view: View, make: Callable[..., object]) -> None:
    assert make(view, Run("t")) is None
