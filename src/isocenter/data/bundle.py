"""The one value that is a folder: a fitted method on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Bundle:
    """A fitted method on disk, checked when it was opened.

    Parameters
    ----------
    path
        The folder.
    about
        bundle.json as read: task, method, recipe, origins, about (what `Fitted.about` said), files, fingerprint, made.
    """

    path: Path
    about: Mapping[str, Any]

    @property
    def task(self) -> str:
        """Name of the question it answers."""
        return str(self.about["task"])

    @property
    def method(self) -> str:
        """Name of the method within its task."""
        return str(self.about["method"])
