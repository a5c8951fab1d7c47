"""Bright discs whose number is their radius."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from isocenter.data import Cases


@pytest.fixture(scope="session")
def discs() -> Callable[..., Cases]:
    """``discs(n, seed=0, rank=2)``: n images with one disc each; the last third are val, all numbers in pixels."""

    def made(n: int = 60, seed: int = 0, rank: int = 2, size: int = 20) -> Cases:
        rng = np.random.default_rng(seed)
        grid = np.stack(np.meshgrid(*[np.arange(size)] * rank, indexing="ij"))
        x, y = [], rng.uniform(2, size * 0.4, n)
        for radius in y:
            centre = rng.uniform(size * 0.4, size * 0.6, rank).reshape(-1, *(1,) * rank)
            inside = ((grid - centre) ** 2).sum(0) < radius**2
            x.append((inside * 2.0 + rng.normal(0, 0.2, inside.shape)).astype(np.float32))
        splits = ["train"] * (n - n // 3) + ["val"] * (n // 3)
        return Cases.from_arrays(x, y, task="regress", classes=["radius"], splits=splits)

    return made
