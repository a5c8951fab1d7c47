"""What every test may ask for."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """Path of a real data set by its folder name; skips where it is absent (ISOCENTER_DATA names the folder)."""
    base = Path(os.environ.get("ISOCENTER_DATA") or ROOT.parent / "shared" / "data")

    def path(name: str) -> Path:
        if not (base / name).is_dir():
            pytest.skip(f"real data absent: {name} (set ISOCENTER_DATA to the folder that holds it)")
        return base / name

    return path


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout's root."""
    return ROOT
