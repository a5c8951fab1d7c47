"""The one value behind look, check, refusals, report and JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from isocenter.errors import IsocenterError

Severity = Literal["note", "warning", "error"]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong or worth knowing.

    Parameters
    ----------
    code
        Short stable name, such as ``"leakage"`` or ``"slices-missing"``.
    severity
        ``"note"`` and ``"warning"`` let work go on, ``"error"`` makes every verb but look and check refuse.
    where
        The file, row, field or case.
    what
        What is wrong, as a sentence without its full stop.
    got, wanted, remedy
        What was found, what was needed, what the person can do. May be empty.
    """

    code: str
    severity: Severity
    what: str
    where: str = ""
    got: str = ""
    wanted: str = ""
    remedy: str = ""

    @classmethod
    def of(cls, error: IsocenterError, where: str = "") -> Problem:
        """The problem that an error reports."""
        return cls(error.code, "error", error.what, error.where or where, error.got, error.wanted, error.remedy)

    def line(self) -> str:
        """The whole problem as one line."""
        text = {"what": self.what, "where": self.where, "got": self.got, "wanted": self.wanted, "remedy": self.remedy}
        return IsocenterError(text.pop("what"), **text).line()

    def as_json(self) -> dict[str, str]:
        """Plain values for JSON and tables."""
        return asdict(self)
