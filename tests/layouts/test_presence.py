from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isocenter.layouts.presence import Presence


@pytest.fixture
def there(folder: Any) -> Presence:
    folder.png("images/a.png")
    np.savez(folder.path / "x.npz", images=np.zeros((3, 4, 5)))
    np.save(folder.path / "y.npy", np.zeros((4, 5)))
    folder.text("broken.npz", "no archive")
    return Presence(folder.path)


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("images/a.png", True), ("images/../images/a.png", True), ("images/b.png", False), ("no/a.png", False),
        ("x.npz#images[2]", True), ("x.npz#images[3]", False), ("x.npz#images", True), ("x.npz#image[0]", False),
        ("gone.npz#images[0]", False), ("y.npy", True),
        # What is damaged is refused when it is opened, with its cause.
        ("broken.npz#images[0]", True),
    ],
)
def test_files_and_items_of_arrays(there: Presence, cell: str, found: bool) -> None:
    assert there(cell) is found


def test_absolute_paths_and_folders(there: Presence, folder: Any) -> None:
    assert there(str(folder.path / "images" / "a.png"))
    assert there("images") and not there(str(Path("/nowhere/at/all.png")))
