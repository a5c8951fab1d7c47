"""Small data in memory for the verbs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isocenter.data import Cases


def _pictures(n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    masks = np.zeros((n, 24, 24), np.uint8)
    for i in range(n):
        y, x = rng.integers(4, 12, 2)
        side = 10 if i // 2 % 2 else 6
        masks[i, y : y + side, x : x + side] = 1
    return np.clip(60 + 100 * masks + rng.normal(0, 8, masks.shape), 0, 255).astype(np.uint8), masks


SPLITS = ["train"] * 12 + ["val"] * 4 + ["test"] * 8
SUBJECTS = [f"p{i // 2}" for i in range(24)]


@pytest.fixture(scope="session")
def squares() -> Cases:
    """24 pictures of 12 subjects with a bright square and its mask, split."""
    x, y = _pictures(24)
    made = Cases.from_arrays(x, y, task="segment", splits=SPLITS, subjects=SUBJECTS, classes=["square"])
    return replace(made, name="squares")


@pytest.fixture(scope="session")
def sizes() -> Cases:
    """The same pictures as two classes, large squares and small ones."""
    x, _ = _pictures(24)
    y = ["large" if i // 2 % 2 else "small" for i in range(24)]
    return replace(Cases.from_arrays(x, y, splits=SPLITS, subjects=SUBJECTS), name="sizes")
