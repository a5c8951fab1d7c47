"""Markup: nothing that is not built here becomes an element."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from isocenter.report.markup import Markup, cleaned, escaped, joined, number, shortened, tag, width_of


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.seen.append((name, dict(attributes)))


def parsed(text: str) -> list[tuple[str, dict[str, str | None]]]:
    tags = Tags()
    tags.feed(text)
    return tags.seen


@pytest.mark.parametrize(
    "payload", ["<script>1</script>", '"><img src=x onerror=1>', "' onload='1", "&lt;b&gt;", "</p><p>"]
)
def test_payloads_stay_text_in_children_and_attributes(payload: str) -> None:
    built = tag("p", payload, title=payload)
    assert parsed(built) == [("p", {"title": payload})]


def test_markup_is_kept_and_text_beside_it_is_escaped() -> None:
    assert tag("p", tag("b", "x"), "<") == "<p><b>x</b>&lt;</p>"
    assert joined(["<", Markup("<br>")], " & ") == "&lt; &amp; <br>"


def test_attributes_that_say_nothing_are_left_out() -> None:
    assert tag("input", checked=True, disabled=False, name=None, class_="a", aria_label="b") == (
        '<input checked class="a" aria-label="b">'
    )


def test_a_tag_may_have_an_attribute_called_name() -> None:
    assert tag("meta", name="viewport") == '<meta name="viewport">'


def test_controls_reordering_marks_and_lone_surrogates_disappear() -> None:
    assert cleaned("a\x00\x1b[0m\u202eb\u2067c\ufffe") == "a[0mbc"
    assert cleaned("x\udcff").encode("utf-8") == b"x?"
    assert cleaned("肺\n\tresection") == "肺\n\tresection"


def test_numbers_are_short() -> None:
    assert [number(v) for v in (1.0, 0.125, -3.5, 100.0, 7)] == ["1", "0.12", "-3.5", "100", "7"]


def test_escaped_is_idempotent_only_on_markup() -> None:
    once = escaped("<")
    assert escaped(once) is once
    assert escaped(str(once) + "") == "&amp;lt;" or isinstance(once, Markup)


def test_long_names_are_cut_to_their_room() -> None:
    assert shortened("liver", 12, 100) == "liver"
    cut = shortened("肝" * 40, 12, 100)
    assert cut.endswith("…")
    assert width_of(cut, 12) <= 100
    assert width_of("肝肝", 10) == 20
