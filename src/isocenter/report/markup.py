"""HTML and SVG that cannot be broken into: text is escaped unless it was built here."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable

# C0 and C1 controls but tab and newline, what XML forbids, and the marks that reorder text on the screen.
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")


class Markup(str):
    """Text that is markup already; `tag` and `joined` are the only makers of it."""

    __slots__ = ()


def cleaned(value: object) -> str:
    """Text that any page can hold: no control or reordering characters, no lone surrogates."""
    return _HIDDEN.sub("", str(value)).encode("utf-8", "replace").decode("utf-8")


def escaped(value: object) -> Markup:
    """Any value as markup: `Markup` as it is, everything else escaped.

    >>> escaped("<b> & 'c'")
    '&lt;b&gt; &amp; &#x27;c&#x27;'
    """
    return value if isinstance(value, Markup) else Markup(html.escape(cleaned(value), quote=True))


def joined(parts: Iterable[object], between: str = "") -> Markup:
    """The parts in a row, each escaped where it is not markup."""
    return Markup(escaped(between).join(escaped(p) for p in parts))


def number(value: float) -> str:
    """A coordinate, short: two decimals at most.

    >>> number(3.0), number(0.126)
    ('3', '0.13')
    """
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def tag(name: str, /, *children: object, **attributes: object) -> Markup:
    """One element.

    Parameters
    ----------
    name
        Of the element.
    children
        Escaped where they are not markup; None is left out.
    attributes
        ``class_`` becomes ``class``, inner underscores become hyphens; None and False are left out, True stands alone.

    >>> tag("p", "a < b", class_="note")
    '<p class="note">a &lt; b</p>'
    """
    shown = []
    for key, value in attributes.items():
        label = key.rstrip("_").replace("_", "-")
        if value is True:
            shown.append(f" {label}")
        elif value is not None and value is not False:
            shown.append(f' {label}="{escaped(number(value) if isinstance(value, float) else value)}"')
    opening = f"<{name}{''.join(shown)}"
    if name in VOID:
        return Markup(opening + ">")
    return Markup(f"{opening}>{joined(c for c in children if c is not None)}</{name}>")


VOID = frozenset({"meta", "br", "hr", "img", "input", "col"})


def width_of(text: str, size: float) -> float:
    """Estimated width of a line of text in the units of `size`, its height; wide East Asian characters are one em.

    >>> width_of("ab", 10) < width_of("肺肺", 10)
    True
    """
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return size * (wide + 0.56 * (len(text) - wide))


def shortened(text: str, size: float, room: float) -> str:
    """The text, cut with an ellipsis so that it fits into `room`."""
    text = cleaned(text)
    if width_of(text, size) <= room:
        return text
    while text and width_of(text + "…", size) > room:
        text = text[:-1]
    return text + "…"
