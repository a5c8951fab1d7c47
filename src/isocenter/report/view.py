"""What every section of the page is built with: codes for identifiers, numbered figures, tables, folds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from isocenter.report.markup import Markup, joined, tag
from isocenter.report.privacy import Codes
from isocenter.report.run import Run
from isocenter.report.style import chart_style
from isocenter.report.svg import NAMESPACE, Drawing

WIDE, NARROW = 800, 370


@dataclass(frozen=True)
class Section:
    """One heading with what stands below it; `anchor` is unique on the page."""

    anchor: str
    title: str
    body: Markup


@dataclass
class View:
    """The state of one page while it is drawn.

    Parameters
    ----------
    codes
        Replaces identifiers.
    detail
        Raster pixels per user unit of pictures.
    figures
        File name to SVG text of every figure so far.
    prefix
        Before anchors and figure files of a chapter, such as ``"2-"``.
    """

    codes: Codes
    detail: float = 2.0
    figures: dict[str, str] = field(default_factory=dict)
    prefix: str = ""
    count: int = 0

    def text(self, value: object) -> str:
        """Prose with identifiers replaced (still to be escaped, as all text is)."""
        return self.codes.text(value)

    def message(self, value: object) -> str:
        """A message from a tool, in which even pieces of identifiers are replaced."""
        return self.codes.text(value, pieces=True)

    def section(self, anchor: str, title: str, *body: object) -> Section | None:
        """A section, or None when nothing is in it."""
        filled = joined(b for b in body if b is not None)
        return Section(self.prefix + anchor, title, filled) if filled else None

    def figure(self, name: str, body: object, how_to_read: object) -> Markup:
        """A numbered figure with a caption that says how to read it."""
        self.count += 1
        number = tag("b", f"Figure {self.count}. ")
        return tag("figure", body, tag("figcaption", number, how_to_read), id=f"{self.prefix}figure-{name}")

    def chart(self, name: str, draw: Callable[[int], Drawing], how_to_read: object) -> Markup:
        """A figure that is drawn for wide and for narrow screens, and kept as a file."""
        wide = draw(WIDE)
        self.keep(name, wide)
        return self.figure(name, joined([wide.inline("wide"), draw(NARROW).inline("slim")]), how_to_read)

    def keep(self, name: str, drawing: Drawing) -> Markup:
        """Keeps a drawing as a file; returns it for the page."""
        self.figures[f"{self.prefix}{name}.svg"] = drawing.file(chart_style(), self.note)
        return drawing.inline()

    def keep_picture(self, name: str, picture: Markup) -> None:
        """Keeps a drawn case as a file."""
        opening, rest = picture.split(">", 1)
        opening = opening.replace("<svg ", '<svg xmlns="' + NAMESPACE + '" ', 1)
        head = f"{tag('desc', self.note)}<style>{chart_style()}</style>"
        self.figures[f"{self.prefix}{name}.svg"] = f'<?xml version="1.0" encoding="UTF-8"?>\n{opening}>{head}{rest}\n'

    @property
    def note(self) -> str:
        """What every figure that stands alone says."""
        return f"{RESEARCH} {IDENTIFIED}" if self.codes.identified else RESEARCH


RESEARCH = (
    "For research use only. Not a medical device. Not for diagnosis, treatment, triage or any clinical decision. "
    "Not cleared or approved by any authority (FDA, EU MDR, NMPA or another). "
    "Outputs must not enter a patient record as findings."
)
IDENTIFIED = "This report shows identifiers as they are: it must not leave the place where the data live."


def series_of(run: Run) -> dict[str, int]:
    """Method name to the number of its colour and sign, in the order of the methods."""
    names = [m.name for m in run.methods] + [c.method for c in run.curves]
    return {name: i for i, name in enumerate(dict.fromkeys(names))}


def slug(name: str) -> str:
    """A name as part of a file name or anchor: lower-case ASCII; other letters by their code.

    >>> slug("U-Net 3D"), slug("肺")
    ('u-net-3d', 'u80ba')
    """
    return "".join(c if c.isascii() and c.isalnum() else "-" if c.isascii() else f"u{ord(c):x}" for c in name.lower())


def table(
    head: Sequence[object], rows: Iterable[Sequence[object]], *, class_: str = "", caption: object = None
) -> Markup:
    """A table whose first column names its rows; it scrolls by itself where it is too wide."""
    cells = [tag("th", h, scope="col") for h in head]
    body = [tag("tr", tag("th", first, scope="row"), *(tag("td", c) for c in rest)) for first, *rest in rows]
    inside = tag(
        "table",
        tag("caption", caption) if caption else None,
        tag("thead", tag("tr", *cells)) if head else None,
        tag("tbody", *body),
        class_=class_ or None,
    )
    return tag("div", inside, class_="scroll", tabindex="0")


def fold(summary: object, *body: object, opened: bool = False) -> Markup:
    """Something that can be unfolded; print shows it unfolded."""
    return tag("details", tag("summary", summary), *body, open=opened)


def paragraph(*parts: object, class_: str | None = None) -> Markup:
    """A paragraph."""
    return tag("p", *parts, class_=class_)


def bullets(lines: Iterable[object], class_: str | None = None) -> Markup | None:
    """A list, or None when it is empty."""
    items = [tag("li", line) for line in lines]
    return tag("ul", *items, class_=class_) if items else None


def flat(mapping: Mapping[str, object], prefix: str = "") -> list[tuple[str, object]]:
    """Nested settings as dotted names and plain values.

    >>> flat({"study": {"epochs": 5}, "seed": 0})
    [('study.epochs', 5), ('seed', 0)]
    """
    rows: list[tuple[str, object]] = []
    for key, value in mapping.items():
        if isinstance(value, Mapping) and value:
            rows += flat(value, f"{prefix}{key}.")
        else:
            rows.append((f"{prefix}{key}", value))
    return rows


def shown(value: object) -> str:
    """A plain value as a person writes it.

    >>> shown((96, 96)), shown(None), shown(True), shown(0.1)
    ('96, 96', 'none', 'yes', '0.1')
    """
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{k}: {shown(v)}" for k, v in value.items()) or "none"
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(shown(v) for v in value) or "none"
    return str(value)


def facts_list(view: View, facts: Mapping[str, Any]) -> Markup | None:
    """Named facts, the empty ones left out."""
    rows = [
        part
        for k, v in facts.items()
        if shown(v) not in ("", "none")
        for part in (tag("dt", view.text(k)), tag("dd", view.text(shown(v))))
    ]
    return tag("dl", *rows, class_="facts") if rows else None
