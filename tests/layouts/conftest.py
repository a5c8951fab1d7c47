"""Small data sets made on the spot."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import PIL.Image
import pytest


class Folder:
    """A folder that files are written into."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def _at(self, name: str) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def png(self, name: str, array: Any = None, *, bits: int = 8) -> str:
        array = np.arange(20, dtype=np.uint8).reshape(4, 5) if array is None else np.asarray(array)
        image = PIL.Image.fromarray(array.astype(bool) if bits == 1 else array)
        image.save(self._at(name))
        return name

    def nifti(self, name: str, array: Any = None, *, affine: Any = None) -> str:
        array = np.arange(24, dtype=np.int16).reshape(2, 3, 4) if array is None else np.asarray(array)
        # File order is x, y, z.
        image = nibabel.Nifti1Image(array.T, np.eye(4) if affine is None else affine)
        image.header.set_xyzt_units("mm")
        nibabel.save(image, self._at(name))
        return name

    def csv(self, rows: Sequence[Sequence[str]], name: str = "manifest.csv", delimiter: str = ",") -> Path:
        with self._at(name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, delimiter=delimiter).writerows(rows)
        return self.path / name

    def json(self, value: Any, name: str = "cases.json") -> Path:
        self._at(name).write_text(json.dumps(value), encoding="utf-8")
        return self.path / name

    def text(self, name: str, text: str) -> Path:
        self._at(name).write_text(text, encoding="utf-8")
        return self.path / name


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture
def segmented(folder: Folder) -> Callable[..., Path]:
    """A table of images with masks: one row a case, `masks` gives each one's array."""

    def make(*masks: Any, declared: dict[str, Any] | None = None, extra: Sequence[Sequence[str]] = ()) -> Path:
        header = ["image", "mask", "subject", "split"]
        rows = []
        for i, mask in enumerate(masks):
            image = folder.png(f"images/{i}.png", np.full((4, 5), i, np.uint8))
            rows.append([image, folder.png(f"masks/{i}.png", mask), f"p{i}", ["train", "val", "test"][i % 3]])
        if extra:
            header = [*header, *extra[0]]
            rows = [[*row, *more] for row, more in zip(rows, extra[1:], strict=True)]
        folder.csv([header, *rows])
        if declared is not None:
            folder.json(declared)
        return folder.path

    return make
