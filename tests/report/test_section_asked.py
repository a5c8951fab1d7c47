from __future__ import annotations

import html
import re

import numpy as np
import pytest

from isocenter.report import Picture, Run, write_report
from isocenter.report.asked import ANSWERED, NOT_ASKED, REFUSED, Asked, Known
from isocenter.report.privacy import Codes
from isocenter.report.section_asked import asked_section, interval_text
from isocenter.report.view import View

KEY = b"a key for tests, and only for tests"


@pytest.fixture
def asked() -> tuple[Asked, ...]:
    known = Known("right decisions on val", 0.8, 0.95, 0.95, 40)
    drawn = Picture(np.arange(100.0).reshape(10, 10), case="MUSTERMANN^ERIKA")
    return (
        Asked("chest", "classify/cnn", "Pneumonia?", "MUSTERMANN^ERIKA", ANSWERED, "", "pneumonia", 0.9, known,
              picture=drawn),
        Asked("nuclei", "instances/contours", "How many?", "MUSTERMANN^ERIKA", REFUSED, "/home/erika/scan.png: odd"),
        Asked("own", "segment/unet", "Where?", "MUSTERMANN^ERIKA", NOT_ASKED, "no envelope"),
    )  # fmt: skip


def text_of(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<svg.*?</svg>", "", markup, flags=re.DOTALL)))


def test_answers_with_their_intervals_and_refusals_with_their_reasons(asked: tuple[Asked, ...]) -> None:
    section = asked_section(View(Codes(KEY, ["MUSTERMANN^ERIKA"])), Run("One patient", asked=asked))
    assert section is not None and section.title == "What was asked"
    said = text_of(section.body)
    assert "pneumonia" in said and "0.900" in said and "0.800 to 0.950 (95% interval, right decisions on val)" in said
    assert "1 question refused, 1 not asked" in said and "no envelope" in said
    assert said.index("pneumonia") < said.index("Refused") < said.index("nuclei")
    assert section.body.count("<svg") == 1


def test_nobody_answered_and_nothing_was_asked(asked: tuple[Asked, ...]) -> None:
    view = View(Codes(KEY))
    assert asked_section(view, Run("none")) is None
    section = asked_section(view, Run("none", asked=asked[1:]))
    assert section is not None and "No bundle answered." in section.body and "<svg" not in section.body
    alone = asked_section(view, Run("one", asked=asked[:1]))
    assert alone is not None and "Refused" not in alone.body


def test_an_interval_is_never_made_up(asked: tuple[Asked, ...]) -> None:
    assert interval_text(asked[1]) == ""
    plain = Asked("b", "t/m", "?", "c", ANSWERED, known=Known("no interval known"))
    assert interval_text(plain) == "no interval known"
    half = Asked("b", "t/m", "?", "c", ANSWERED, known=Known("of the number itself", 1.0, 2.0))
    assert interval_text(half) == "1.000 to 2.000 (of the number itself)"


def test_the_page_names_no_patient(asked: tuple[Asked, ...], tmp_path) -> None:
    run = Run("One patient", verb="predict --all", asked=asked, identifiers=("/home/erika/scan.png",),
              made={"inputs": {"/home/erika/scan.png": "ab" * 32}})
    page = write_report(run, tmp_path / "out", key=KEY).read_text(encoding="utf-8")
    shared = [page, *[p.read_text(encoding="utf-8") for p in (tmp_path / "out" / "figures").glob("*.svg")]]
    assert len(shared) == 2 and not any(name in text.lower() for text in shared for name in ("mustermann", "erika"))
    assert "chest" in page and "nuclei" in page and Codes(KEY).of("MUSTERMANN^ERIKA") in page
    kept = (tmp_path / "out" / "private" / "identifiers.csv").read_text(encoding="utf-8")
    assert "MUSTERMANN^ERIKA" in kept
