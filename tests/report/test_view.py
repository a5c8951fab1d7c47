"""What sections are built with."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from isocenter.report.markup import Markup, tag
from isocenter.report.privacy import Codes
from isocenter.report.run import Curves, MethodResult, Run
from isocenter.report.svg import Drawing
from isocenter.report.view import (
    IDENTIFIED,
    RESEARCH,
    View,
    bullets,
    facts_list,
    flat,
    fold,
    series_of,
    shown,
    slug,
    table,
)


@pytest.fixture
def view(key: bytes) -> View:
    return View(Codes(key, ["Mustermann_7"]))


def test_figures_are_numbered_and_kept_as_files(view: View) -> None:
    first = view.chart("a", lambda width: Drawing(width, 10, "label"), "Read it so.")
    second = view.figure("b", "body", "And so.")
    assert "<b>Figure 1. </b>Read it so." in first and "<b>Figure 2. </b>" in second
    assert 'class="ch wide"' in first and 'class="ch slim"' in first
    assert list(view.figures) == ["a.svg"]


def test_chapters_keep_their_figures_and_anchors_apart(view: View) -> None:
    view.prefix = "2-"
    view.keep("roc", Drawing(1, 1))
    section = view.section("curves", "Curves", "x")
    assert list(view.figures) == ["2-roc.svg"] and section is not None and section.anchor == "2-curves"


def test_an_empty_section_is_none(view: View) -> None:
    assert view.section("a", "A", None, Markup()) is None


@pytest.mark.parametrize("identified", [False, True])
def test_every_figure_says_that_it_is_for_research(key: bytes, identified: bool) -> None:
    view = View(Codes(key, identified=identified))
    view.keep("chart", Drawing(1, 1, "a chart"))
    view.keep_picture("case", tag("svg", tag("rect"), class_="pic", viewBox="0 0 1 1"))
    for text in view.figures.values():
        assert RESEARCH in text and (IDENTIFIED in text) is identified
        assert ElementTree.fromstring(text.encode("utf-8")).tag.endswith("svg")


def test_prose_and_messages_lose_identifiers(view: View) -> None:
    assert "Mustermann" not in view.text("case Mustermann_7")
    assert "Mustermann" not in view.message("Mr Mustermann")


def test_methods_keep_their_colour_over_the_page() -> None:
    run = Run("t", methods=(MethodResult("a"), MethodResult("b")), curves=(Curves("b"), Curves("c")))
    assert series_of(run) == {"a": 0, "b": 1, "c": 2}


def test_tables_name_their_rows_and_scroll() -> None:
    text = table(["Split", "n"], [["<train>", 3]], caption="why")
    assert text == (
        '<div class="scroll" tabindex="0"><table><caption>why</caption><thead><tr><th scope="col">Split</th>'
        '<th scope="col">n</th></tr></thead><tbody><tr><th scope="row">&lt;train&gt;</th><td>3</td></tr></tbody>'
        "</table></div>"
    )


def test_folds_and_lists() -> None:
    assert fold("more", "text", opened=True).startswith("<details open><summary>more")
    assert bullets([]) is None
    assert bullets(["a"], "plain") == '<ul class="plain"><li>a</li></ul>'


def test_settings_are_flattened_and_written_plainly() -> None:
    assert flat({"a": {"b": {"c": 1}, "d": {}}}) == [("a.b.c", 1), ("a.d", {})]
    assert [shown(v) for v in ([], {}, {"a": [1, 2]}, 1e-4, "x", False)] == [
        "none",
        "none",
        "a: 1, 2",
        "0.0001",
        "x",
        "no",
    ]


def test_slugs_are_safe_and_differ_where_names_differ() -> None:
    assert slug("../../etc/passwd") == "------etc-passwd"
    assert slug("肺") != slug("肝")


def test_facts_that_say_nothing_are_left_out(view: View) -> None:
    assert facts_list(view, {"a": "", "b": None, "c": []}) is None
    assert facts_list(view, {"a": "", "file": "/x/Mustermann.nii"}) == (
        f'<dl class="facts"><dt>file</dt><dd>[{view.codes.of("/x/Mustermann.nii")}]</dd></dl>'
    )
