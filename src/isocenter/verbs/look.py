"""What is this? Described, never refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from isocenter.errors import UsageError
from isocenter.inspect import Look
from isocenter.inspect import look as described
from isocenter.verbs._text import typed


@dataclass(frozen=True)
class Looked:
    """One description a path.

    Parameters
    ----------
    items
        In the order of the paths.
    """

    items: tuple[Look, ...]

    @property
    def exit_code(self) -> int:
        """1 when nothing of it can be read, 3 when some of several cannot, else 0."""
        bad = sum(item.kind == "unreadable" for item in self.items)
        return 0 if not bad else 1 if bad == len(self.items) else 3

    def as_json(self) -> dict[str, Any]:
        """The description of one path; of several a list under ``items``."""
        if len(self.items) == 1:
            return self.items[0].as_json()
        return {"format": 1, "items": [item.as_json() for item in self.items]}

    def lines(self) -> list[str]:
        """One block a path."""
        lines: list[str] = []
        for item in self.items:
            lines += [*item.lines(), ""]
        return [*lines, f"next: {self._next()}"]

    def _next(self) -> str:
        readable = [i for i in self.items if i.kind == "data set" or not any(p.severity == "error" for p in i.problems)]
        if not readable:
            return "isocenter look PATH"
        first = readable[0]
        if first.kind == "data set":
            return f"isocenter check {typed(first.path)}"
        return f"isocenter predict segment/histogram {typed(first.path)} -o OUT"


def look(*paths: Any) -> Looked:
    """Says what lies at some paths: files, series, data sets; what is wrong with them, what could be asked of them.

    Instead of a path, an array, a nibabel, SimpleITK or torch object.

    Raises
    ------
    UsageError
        No path at all.
    """
    from isocenter.layouts import survey

    if not paths:
        raise UsageError("nothing to look at", wanted="PATH")
    return Looked(tuple(described(path, read=survey) for path in paths))
