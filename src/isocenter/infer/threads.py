"""How many threads an answer may use. The number changes the time, never the answer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_limit: ContextVar[int | None] = ContextVar("threads", default=None)


def threads() -> int:
    """Threads for one answer: those of `limited`, else the cores that this process may use."""
    limit = _limit.get()
    if limit is not None:
        return limit
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def limited(count: int) -> Iterator[None]:
    """Answers inside the block use `count` threads (at least 1)."""
    token = _limit.set(max(1, count))
    try:
        yield
    finally:
        _limit.reset(token)
