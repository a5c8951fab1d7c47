"""Simulated cases that the classical methods of this question learn from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from isocenter.data import Cases


@pytest.fixture(scope="session")
def corners() -> Callable[..., Cases]:
    """Noise with a bright corner that depends on the class: ``corners(n, classes=2, seed=0, shape=(24, 24))``."""

    def make(n: int, classes: int = 2, seed: int = 0, shape: tuple[int, ...] = (24, 24)) -> Cases:
        rng = np.random.default_rng(seed)
        y = np.arange(n) % classes
        x = [rng.normal(100, 10, shape) for _ in range(n)]
        for array, label in zip(x, y, strict=True):
            array[..., :8, label * 8 : label * 8 + 8] += 12
        return Cases.from_arrays(x, y, classes=["normal", "mass", "cyst"][:classes])

    return make


@pytest.fixture(scope="session")
def both_labels() -> tuple[Cases, Cases]:
    """Train and val of pictures with two labels that are independent of each other: bright lower corners."""
    rng = np.random.default_rng(0)
    y = np.stack([np.arange(120) % 2, np.arange(120) // 2 % 2], axis=1)
    x = [rng.normal(100, 10, (24, 24)) for _ in y]
    for array, labels in zip(x, y, strict=True):
        array[-8:, :8] += 15 * labels[0]
        array[-8:, 8:16] += 15 * labels[1]
    train, valid = (Cases.from_arrays(x[a:b], y[a:b], classes=["a", "b"]) for a, b in ((0, 80), (80, 120)))
    return train, valid
