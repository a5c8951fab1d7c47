"""What every verb gives back."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Result(Protocol):
    """A value that says itself as JSON and as lines of text."""

    def as_json(self) -> dict[str, Any]:
        """Plain values, without NaN."""
        ...

    def lines(self) -> list[str]:
        """For people; the last line is the command that comes next, where there is one."""
        ...


def exit_code(result: Any) -> int:
    """0, or 3 where some of many cases were refused."""
    return int(getattr(result, "exit_code", 0))
