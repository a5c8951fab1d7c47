"""Attacks and worse scans as a reader sees them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from isocenter.data import Disturbed, Score, Test
from isocenter.report import Change, Run
from isocenter.report.page import page
from isocenter.report.privacy import Codes
from isocenter.report.section_under import ENLARGED, curve_chart, under_section
from isocenter.report.view import View
from isocenter.report.wording import digits

LEVELS = {"1/255": 0.81, "2/255": 0.52, "4/255": 0.13}


def attacked(run: Run, flags: tuple[str, ...] = ()) -> Run:
    """Every method of a run under an attack, with pictures."""
    rows = []
    for m in run.methods:
        assert m.scores is not None
        levels = {
            k: replace(m.scores, metrics={"robust_accuracy": {"all": Score(v, v - 0.05, v + 0.05, 30, flags=flags)}})
            for k, v in LEVELS.items()
        }
        test = Test(f"{m.name} pgd 2/255", m.name, "accuracy", "all", -0.4, -0.5, -0.3, 0.0001, 0.0002, "mcnemar")
        rows.append(Disturbed("pgd", m.name, m.scores, levels, (1 / 255, 2 / 255, 4 / 255), "2/255",
                              ("robust_accuracy", "accuracy"), (test,), flags, ("2 were rounded away",)))
    image = np.random.default_rng(0).integers(0, 200, (20, 24)).astype(float)
    added = np.where(image > 100, 2.0, -2.0)
    change = Change(image, image + added, added, (0.0, 255.0), "SECRET-7 became ill", "SECRET-7")
    return replace(run, under=tuple(rows), changes=(change,), identifiers=("SECRET-7",))


def test_numbers_intervals_curves_and_tests(key: bytes, classified: Callable[..., Run]) -> None:
    run = attacked(classified())
    view = View(Codes(key))
    section = under_section(view, run)
    assert section is not None and section.title == "Under attack and on worse scans"
    for value in LEVELS.values():
        assert digits(value) in section.body and digits(value - 0.05) in section.body
    for m in run.methods:
        assert m.name in section.body
    assert "Accuracy, unchanged" in section.body and "mcnemar" in section.body and "2 were rounded away" in section.body
    assert "under-pgd.svg" in view.figures and "share of the image" in view.figures["under-pgd.svg"]


def test_flags_are_explained_beside_the_number(key: bytes, classified: Callable[..., Run]) -> None:
    section = under_section(View(Codes(key)), attacked(classified(), ("black_box_better",)))
    assert section is not None and "too weak to believe" in section.body and "<sup>a</sup>" in section.body


def test_a_change_is_drawn_at_its_size_and_enlarged(key: bytes, classified: Callable[..., Run]) -> None:
    run = attacked(classified())
    section = under_section(View(Codes(key, run.identifiers)), run)
    assert section is not None
    assert f"{ENLARGED} times" in section.body and section.body.count("data:image/png") == 3
    assert "SECRET-7" not in section.body


def test_the_curve_names_budgets_as_they_were_asked_for(classified: Callable[..., Run]) -> None:
    run = attacked(classified())
    drawn = curve_chart(run, run.under, width=600).file("")
    assert all(level in drawn for level in LEVELS)
    worse = [replace(d, metric=("accuracy", "accuracy"), amounts=(1.0, 2.0, 3.0)) for d in run.under]
    assert "severity" in curve_chart(run, worse, width=370).file("")


def test_an_undefined_level_leaves_a_gap(classified: Callable[..., Run]) -> None:
    run = attacked(classified())
    first = run.under[0]
    none = replace(first.levels["2/255"], metrics={"robust_accuracy": {"all": Score(None, None, None, 0)}})
    gap = replace(first, levels={**first.levels, "2/255": none})
    assert curve_chart(run, [gap], width=600).file("").count("curve") >= 1
    assert first.shown("2/255").value == 0.52 and gap.shown("2/255").value is None


def test_it_stands_on_the_page_and_is_left_out_without_attacks(key: bytes, classified: Callable[..., Run]) -> None:
    assert "Under attack and on worse scans" in page(View(Codes(key)), attacked(classified()))
    assert under_section(View(Codes(key)), classified()) is None
