"""Sources in short form, as docstrings and settings name them, to entries of a bibliography."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

BOOK = Path(__file__).with_name("sources.bib")
# Fields that steer the choice; they are not written out.
OURS = ("match", "short", "when", "unless", "also")
# Letters that TeX spells and a plain surname does not have.
TEX = re.compile(r"\\[a-z'\"`^~]\s?|[{}]")
SHORT = re.compile(r"[A-Z][\w'’-]+\b[^;]{0,80}?\b(?:19|20)\d\d\b")


@dataclass(frozen=True)
class Reference:
    """One entry.

    Parameters
    ----------
    kind, key
        Such as ``"article"`` and ``"otsu1979"``.
    fields
        In order.
    """

    kind: str
    key: str
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def surname(self) -> str:
        """Of the first author, as a text would print it, without accents."""
        first = self.fields.get("author", "").split(" and ")[0].split(",")[0]
        return TEX.sub("", first).removeprefix("van ").strip()

    @property
    def year(self) -> str:
        """Of publication; "" where unknown."""
        return self.fields.get("year", "")

    def said(self) -> str:
        """As a text cites it: authors and year.

        >>> Reference("article", "a", {"author": "Chan, T. and Vese, L.", "year": "2001"}).said()
        'Chan and Vese 2001'
        """
        names = [a.split(",")[0] for a in self.fields.get("author", "").split(" and ")]
        plain = [TEX.sub("", n).strip() for n in names]
        who = plain[0] if len(plain) == 1 else " and ".join(plain) if len(plain) == 2 and plain[1] != "others" else ""
        return f"{who or plain[0] + ' et al.'} {self.year}".strip()

    def bibtex(self) -> str:
        """As BibTeX."""
        rows = [f"  {name} = {{{value}}}" for name, value in self.fields.items() if name not in OURS]
        return f"@{self.kind}{{{self.key},\n" + ",\n".join(rows) + "\n}\n"

    def line(self) -> str:
        """As a list of references prints it."""
        f = {k: TEX.sub("", v).replace("--", "\N{EN DASH}") for k, v in self.fields.items()}
        place = f.get("journal") or f.get("booktitle") or f.get("publisher") or f.get("howpublished") or ""
        where = " ".join(p for p in (f.get("volume", ""), f"({f['number']})" if "number" in f else "") if p)
        pages = f": {f['pages']}" if "pages" in f else ""
        authors = f.get("author", "").replace(" and others", " et al.").replace(" and ", "; ")
        parts = [authors, f.get("title", ""), f"{place} {where}".strip() + pages, f.get("note", ""), self.year]
        return ". ".join(p.rstrip(".") for p in parts if p) + "."

    def cited(self, text: str, used: set[str]) -> bool:
        """Whether a text names it in short form, and the settings in use do not speak against it."""
        if used & set(self.fields.get("also", "").split()):
            return True
        when, unless = self.fields.get("when", "").split(), self.fields.get("unless", "").split()
        if (when and not used & set(when)) or used & set(unless):
            return False
        return self.named(text)

    def named(self, text: str) -> bool:
        """Whether a text names it by first author and year."""
        first = re.escape(self.fields.get("short") or self.surname)
        # Between name and year stands no other year: that would be another's.
        between = r"(?:(?!\b(?:19|20)\d\d\b)[^;]){0,110}?"
        for found in re.finditer(rf"(?<![\w-]){first}\b{between}\b{self.year}\b", text):
            words = self.fields.get("match", "").split()
            if not words or any(w in found.group() for w in words):
                return True
        return False


@cache
def book() -> tuple[Reference, ...]:
    """Every source in full."""
    return tuple(parsed(BOOK.read_text(encoding="utf-8")))


def parsed(text: str) -> list[Reference]:
    """The entries of a BibTeX file.

    >>> parsed("@article{a1, author={B, C}, year={2001}}")[0].fields
    {'author': 'B, C', 'year': '2001'}
    """
    found = []
    for head in re.finditer(r"^@(\w+)\{([^,\s]+),", text, re.M):
        values, at = {}, head.end()
        while match := re.compile(r"\s*,?\s*([a-z]+)\s*=\s*\{").match(text, at):
            end = _closing(text, match.end())
            values[match[1]], at = text[match.end() : end], end + 1
        found.append(Reference(head[1], head[2], values))
    return found


def _closing(text: str, start: int) -> int:
    depth, at = 1, start
    while depth:
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        at += 1
    return at - 1


def cited(texts: Iterable[str], used: Iterable[str] = ()) -> list[Reference]:
    """The sources that texts name in short form, or that settings in use call for, by key.

    Parameters
    ----------
    texts
        Docstrings and short forms.
    used
        Such as ``"network=resnet18"``, ``"test=delong"``, ``"tool=numpy"``.
    """
    whole, settings = " ; ".join(" ".join(t.split()) for t in texts), set(used)
    return sorted((r for r in book() if r.cited(whole, settings)), key=lambda r: r.key)


def unknown(sources: Sequence[str]) -> list[Reference]:
    """What short forms name that no entry in full stands for: kept as it is, its title not provided.

    >>> [r.key for r in unknown(["Nobody et al., J. Doubt 1999; Otsu 1979"])]
    ['nobody1999']
    """
    found: dict[str, Reference] = {}
    for short in (s.strip() for source in sources for s in source.split(";")):
        year = re.findall(r"\b(?:19|20)\d\d\b", short)
        known = any(r.named(short) for r in book())
        if not year or known or not SHORT.search(short):
            continue
        name = re.sub(r"[^A-Za-z-]", "", re.split(r"[ ,]", short)[0])
        key = f"{name.lower()}{year[-1]}"
        found[key] = Reference("misc", key, {"author": f"{name} and others" if "et al" in short else name,
                                             "note": f"cited as: {short}; title not provided", "year": year[-1]})
    return list(found.values())
