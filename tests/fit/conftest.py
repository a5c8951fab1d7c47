"""Tiny data to learn from: bright discs on a dark ground, and bright against dark pictures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from isocenter.data import Cases

Made = Callable[..., Cases]


@pytest.fixture
def discs() -> Made:
    """n images with one disc each, cut into train and val; rank 2 or 3."""

    def made(n: int = 8, size: int = 24, rank: int = 2, seed: int = 0, val: int = 2) -> Cases:
        rng = np.random.default_rng(seed)
        grid = np.stack(np.meshgrid(*[np.arange(size)] * rank, indexing="ij"))
        x, y = [], []
        for _ in range(n):
            centre = rng.uniform(size * 0.35, size * 0.65, rank).reshape(-1, *(1,) * rank)
            inside = ((grid - centre) ** 2).sum(0) < (size * 0.25) ** 2
            x.append((inside * 2.0 + rng.normal(0, 0.3, inside.shape)).astype(np.float32))
            y.append(inside.astype(np.uint8))
        splits = ["train"] * (n - val) + ["val"] * val
        return Cases.from_arrays(
            x, y, task="segment", classes=["disc"], splits=splits, subjects=[f"s{i}" for i in range(n)],
            spacing=(1.0,) * rank if rank == 3 else None,
        )  # fmt: skip

    return made


@pytest.fixture
def pictures() -> Made:
    """n pictures of two classes that differ by a bright corner, cut into train and val."""

    def made(n: int = 16, size: int = 16, seed: int = 0, val: int = 4) -> Cases:
        rng = np.random.default_rng(seed)
        y = np.arange(n) % 2
        x = rng.normal(0, 1, (n, size, size)).astype(np.float32)
        x[y == 1, : size // 2, : size // 2] += 3
        splits = ["train"] * (n - val) + ["val"] * val
        return Cases.from_arrays(x, ["normal" if v == 0 else "sick" for v in y], splits=splits)

    return made
