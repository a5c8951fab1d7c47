from __future__ import annotations

import re

import numpy as np

from isocenter.report import Picture, Run, write_report
from isocenter.report.privacy import Codes
from isocenter.report.section_suspects import SUSPECTS, suspects_section
from isocenter.report.view import View

KEY = b"a key for tests, and only for tests"


def suspects(n: int) -> tuple[Picture, ...]:
    rng = np.random.default_rng(0)
    return tuple(
        Picture(rng.random((12, 12)), case=f"mustermann-{i:02d}", text=f"labelled a (0.{i:02d}), answered b (0.9)")
        for i in range(n)
    )


def test_the_first_twelve_are_drawn_in_their_order_with_what_was_answered() -> None:
    view = View(Codes(KEY))
    section = suspects_section(view, Run("training", suspects=suspects(15)))
    assert section is not None and section.title == "Labels to look at again" and section.body.count("<svg") == SUSPECTS
    told = re.findall(r"labelled a \(0\.(\d\d)\)", section.body)
    assert list(dict.fromkeys(told)) == [f"{i:02d}" for i in range(12)]
    assert "may be hard" in section.body and sorted(view.figures)[0] == "suspect-1.svg" and len(view.figures) == 12


def test_nothing_is_doubted() -> None:
    assert suspects_section(View(Codes(KEY)), Run("training")) is None


def test_the_page_names_no_patient(tmp_path) -> None:
    page = write_report(Run("training", suspects=suspects(2)), tmp_path / "out", key=KEY).read_text(encoding="utf-8")
    assert "mustermann" not in page and Codes(KEY).of("mustermann-00") in page and "Labels to look at again" in page
