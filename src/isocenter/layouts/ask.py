"""What a caller asks of a data set: the same for every layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from isocenter.data import Problem
from isocenter.errors import IsocenterError


@dataclass(frozen=True)
class Ask:
    """The question and the words that win over whatever the data declare.

    Parameters
    ----------
    task
        Whose truth to bind, such as ``"segment"``; None: none is bound, and the data say what could be asked.
    target
        Column of the truth.
    facts
        Columns that a method may use.
    group
        Column whose value stays on one side of a split.
    positive
        The class that one-sided metrics lead with.
    role
        Name of the image that methods for one image take; ``"any"`` where the cases of a question about the whole
        (classify, regress) need not share one, for methods of several images.
    tolerant
        List bad rows as problems and leave them out, instead of refusing (for look and check).
    unlabelled
        Keep the rows of train that have no truth (segment, register): images to learn from without it.
    """

    task: str | None = None
    target: str | None = None
    facts: tuple[str, ...] = ()
    group: str | None = None
    positive: str | None = None
    role: str | None = None
    tolerant: bool = False
    unlabelled: bool = False

    def keeps(self, split: str) -> bool:
        """Whether rows of a split take part without truth."""
        return self.unlabelled and self.task in ("segment", "register") and split == "train"


@dataclass
class Notes:
    """What reading a data set found so far: problems, and rows left out by reason."""

    tolerant: bool = False
    problems: list[Problem] = field(default_factory=list)
    unused: dict[str, int] = field(default_factory=dict)
    left: list[Mapping[str, str]] = field(default_factory=list)

    def note(self, code: str, what: str, *, where: str = "", got: str = "", remedy: str = "") -> None:
        """Something worth knowing."""
        self.problems.append(Problem(code, "note", what, where, got, "", remedy))

    def warn(self, code: str, what: str, *, where: str = "", got: str = "", remedy: str = "") -> None:
        """Something that is probably wrong."""
        self.problems.append(Problem(code, "warning", what, where, got, "", remedy))

    def leave_out(self, reason: str, count: int = 1) -> None:
        """Counts what takes no part."""
        self.unused[reason] = self.unused.get(reason, 0) + count

    def leave_rows(self, reason: str, rows: Sequence[Mapping[str, str]]) -> None:
        """Counts rows of a table that take no part, and keeps them for a table that is written anew."""
        if rows:
            self.leave_out(reason, len(rows))
            self.left += rows

    def refuse(self, error: IsocenterError) -> None:
        """Raises the error, or lists it where the caller is tolerant."""
        if not self.tolerant:
            raise error
        self.problems.append(Problem.of(error))
