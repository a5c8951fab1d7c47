"""Loops over pixels that numba compiles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """A function compiled when it is first called; what was compiled is kept beside its file.

    >>> @kernel
    ... def squares(n: int) -> int:
    ...     total = 0
    ...     for i in range(n):
    ...         total += i * i
    ...     return total
    >>> squares(4)
    14
    """
    try:
        return cast(F, njit(cache=True)(function))
    except RuntimeError:
        # No place to keep it: a function typed in, or a folder that nobody may write.
        return cast(F, njit(function))
