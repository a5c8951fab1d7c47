"""How people meet the verbs: parse, call one verb, show. No computing here."""

from __future__ import annotations

__all__: list[str] = []
