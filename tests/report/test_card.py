"""The model card: complete, or said to be incomplete."""

from __future__ import annotations

from isocenter.report import RESEARCH, card_markdown
from isocenter.report.card import ABSENT, ITEMS, card_html, items, plain


def test_every_item_is_there_or_said_to_be_absent() -> None:
    rows = dict(items({"intended_use": "Counting cells.", "limits": ["dark", "blurred"], "licence": "", "users": None}))
    assert set(rows) == set(ITEMS.values())
    assert rows["Intended use"] == "Counting cells."
    assert rows["Limits and known failures"] == "dark, blurred"
    assert rows["Licence"] == rows["Intended users"] == ABSENT


def test_items_of_ones_own_follow() -> None:
    assert items({"energy_used": "3 Wh"})[-1] == ("Energy used", "3 Wh")


def test_false_and_zero_are_answers() -> None:
    rows = dict(items({"cleared": False, "cost": 0}))
    assert (rows["Cleared"], rows["Cost"]) == ("no", "0")


def test_the_page_marks_absent_items_and_replaces_identifiers() -> None:
    text = card_html({"intended_use": "for <Mustermann>"}, text=lambda v: str(v).replace("Mustermann", "[code]"))
    assert "for &lt;[code]&gt;" in text
    assert text.count(f'<span class="chip">{ABSENT}</span>') == len(ITEMS) - 1


def test_markdown_opens_with_the_statement_on_research_and_holds_no_markup() -> None:
    text = card_markdown({"intended_use": "[click](javascript:1) <img src=x> | *bold*\n# heading"}, title="Kidney")
    assert text.startswith(f"# Kidney\n\n**{RESEARCH}**")
    line = next(part for part in text.splitlines() if "click" in part)
    assert "<img" not in line and "](" not in line.replace("\\]", "") and "\\# heading" in line


def test_plain_keeps_ordinary_words() -> None:
    assert plain("Dice 0.95 (n = 20), 'test' 肺") == "Dice 0.95 (n = 20), 'test' 肺"
