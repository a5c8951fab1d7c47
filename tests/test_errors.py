"""Errors are one line with what, got, wanted and remedy."""

from __future__ import annotations

import inspect

import pytest

from isocenter import errors
from isocenter.errors import GeometryError, IsocenterError, MissingExtraError, UsageError, nearest

ALL = [c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, IsocenterError)]


def test_line() -> None:
    error = GeometryError(
        "a slice is missing", where="series 3", got="6.0 mm", wanted="3.0 mm", remedy="Fetch it again."
    )
    assert str(error) == "series 3: a slice is missing: got 6.0 mm, needed 3.0 mm. Fetch it again."
    assert "\n" not in str(IsocenterError("two\nlines"))


@pytest.mark.parametrize("cls", ALL)
def test_the_tree_is_drawn_whole_and_codes_are_unique(cls: type[IsocenterError]) -> None:
    assert cls.__name__ in (errors.__doc__ or "")
    assert sum(c.code == cls.code for c in ALL) == 1


def test_exit_codes() -> None:
    assert UsageError("x").exit_code == 2 and GeometryError("x").exit_code == 1


def test_missing_extra_gives_the_install_line() -> None:
    assert "pip install 'isocenter[train]'" in str(MissingExtraError("training", "train"))


def test_nearest() -> None:
    assert nearest("zzz", ["a", "b"]) == "Known: a, b"
    fields = [f"before.field{i:02d}" for i in range(60)]
    assert nearest("before.field07x", fields) == "Did you mean before.field07? There are 59 others"
    assert nearest("zzz", fields).count(",") == 59, "where nothing is near, the names are all that helps"
