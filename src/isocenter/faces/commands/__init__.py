"""One file a verb: its arguments, its examples, and the one call that it makes."""

from __future__ import annotations

__all__: list[str] = []
