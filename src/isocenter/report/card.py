"""The model card: what a method is for and what it is not for; what nobody wrote is said to be not provided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from isocenter.report.markup import Markup, escaped, tag
from isocenter.report.view import RESEARCH, shown

# After Mitchell et al., Model Cards for Model Reporting (2019), and the items that a research tool must state.
ITEMS = {
    "name": "Name and version",
    "intended_use": "Intended use",
    "users": "Intended users",
    "not_for": "Not for",
    "envelope": "What it may be given",
    "output": "Output",
    "data": "Training data",
    "population": "Population",
    "metrics": "What it has shown",
    "limits": "Limits and known failures",
    "licence": "Licence",
    "credit": "Credit",
    "contact": "Contact",
}
ABSENT = "not provided"


def items(card: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Heading and text of every item, in order; items of one's own follow at the end.

    Parameters
    ----------
    card
        Key of `ITEMS` (or any other name) to text, or to a list of texts.

    >>> items({"intended_use": "Counting cells."})[1]
    ('Intended use', 'Counting cells.')
    """
    own = [k for k in card if k not in ITEMS]
    rows = [(heading, card.get(key)) for key, heading in ITEMS.items()]
    rows += [(k.replace("_", " ").capitalize(), card[k]) for k in own]
    return [(heading, shown(value).strip() if value not in (None, "", (), []) else ABSENT) for heading, value in rows]


def card_html(card: Mapping[str, Any], text: Callable[[object], str] = str) -> Markup:
    """The card as a list of terms; `text` replaces identifiers."""
    rows = []
    for heading, value in items(card):
        absent = value == ABSENT
        rows += [tag("dt", heading), tag("dd", tag("span", ABSENT, class_="chip") if absent else escaped(text(value)))]
    return tag("dl", *rows, class_="facts")


def card_markdown(card: Mapping[str, Any], *, title: str = "Model card", text: Callable[[object], str] = str) -> str:
    """The card as Markdown, with the statement on research use at its head."""
    lines = [f"# {plain(title)}", "", f"**{RESEARCH}**", ""]
    for heading, value in items(card):
        lines += [f"## {plain(heading)}", "", plain(text(value)), ""]
    return "\n".join(lines)


def plain(value: str) -> str:
    """Text that Markdown shows as it is: nothing in it is markup, link or HTML.

    >>> plain("a|b <c> *d*")
    'a\\\\|b &lt;c&gt; \\\\*d\\\\*'
    """
    text = str(escaped(value)).replace("&#x27;", "'").replace("&quot;", '"')
    for sign in "\\`*_[]|#!":
        text = text.replace(sign, "\\" + sign)
    return " ".join(text.split())
