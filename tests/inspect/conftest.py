"""Sets with planted faults, made on the spot."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from scipy.ndimage import gaussian_filter


def texture(seed: int, shape: tuple[int, int] = (96, 120), shared: float = 0.0) -> np.ndarray:
    """A smooth random picture, 8 bits; `shared` is the share that all pictures have in common."""
    rng = np.random.default_rng(seed)
    own = gaussian_filter(rng.standard_normal(shape), 3)
    own = own / own.std()
    common = gaussian_filter(np.random.default_rng(10_000).standard_normal(shape), 8)
    mixed = (1 - shared) * own + shared * common / common.std()
    return np.clip(128 + 40 * mixed, 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def picture() -> Callable[..., np.ndarray]:
    return texture


class Table:
    """A folder with a table of pictures that grows row by row."""

    def __init__(self, path: Path) -> None:
        self.path, self.rows = path, list[dict[str, str]]()

    def save(self, name: str, array: Any, **how: Any) -> str:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.fromarray(array).save(path, **how)
        return name

    def add(self, name: str, array: Any, *, how: dict[str, Any] | None = None, **cells: str) -> None:
        self.rows.append({"image": self.save(name, array, **(how or {})), **cells})

    def done(self, declared: dict[str, Any] | None = None) -> Path:
        columns = list(dict.fromkeys(c for row in self.rows for c in row))
        with (self.path / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, restval="")
            writer.writeheader()
            writer.writerows(self.rows)
        if declared is not None:
            (self.path / "cases.json").write_text(json.dumps({"format": 1, **declared}), encoding="utf-8")
        return self.path


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return Table(tmp_path)


@pytest.fixture
def labelled() -> Callable[..., Any]:
    """Cases in memory with one label each: `labels`, and a group each."""
    from isocenter.data import Cases

    def make(labels: Sequence[str], groups: Sequence[str] | None = None, splits: Sequence[str] | None = None) -> Cases:
        x = np.zeros((len(labels), 4, 4), np.uint8) + np.arange(len(labels), dtype=np.uint8)[:, None, None]
        return Cases.from_arrays(x, list(labels), subjects=groups, splits=splits)

    return make
