"""No answer, with its reason: never an empty mask that looks like "nothing there"."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NotEvaluated:
    """A method did not answer this case. False in a condition.

    Parameters
    ----------
    reason
        As a sentence without its full stop.
    measured, limit
        What was measured on the case and what the method allows, as text; may be empty.
    """

    reason: str
    measured: str = ""
    limit: str = ""

    def __bool__(self) -> bool:
        return False

    def line(self) -> str:
        """As one line."""
        facts = ", ".join(
            f for f in (self.measured and f"measured {self.measured}", self.limit and f"limit {self.limit}") if f
        )
        return f"not evaluated: {self.reason}" + (f" ({facts})" if facts else "")
