"""Answers as files: which ones, under which names, and the numbers of a table's row."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from isocenter.data import Image, Probabilities, Segmentation, Values

# Format that was read to the suffix of the label map written; others follow the grid.
SUFFIX = {
    "nifti": ".nii.gz",
    "dicom": ".nii.gz",
    "png": ".png",
    "jpeg": ".png",
    "tiff": ".tif",
    "npy": ".npy",
    "npz": ".npz",
}


def planned(name: str, image: Image, *, task: str, out: Path | None) -> dict[str, str]:
    """Files that an answer will be, by kind, relative to the folder; none for answers that are rows of a table.

    Parameters
    ----------
    name
        Of the answer.
    image
        That it is about; it decides the format.
    task
        ``"segment"`` gives a label map and an overlay.
    out
        The one file that was asked for, or None.
    """
    if out is not None:
        return {"answer": out.name}
    if task != "segment":
        return {}
    usual = ".nii.gz" if image.ndim == 3 else ".png"
    end = SUFFIX.get(image.source.format, usual)
    return {"answer": name + end, "overlay": f"{name}_overlay.png"}


def written(found: Any, image: Image, *, folder: Path, files: Mapping[str, str], codes: Mapping[str, int]) -> list[str]:
    """Writes an answer's files and gives their names; raises as `isocenter.io.write`."""
    from isocenter.io import write
    from isocenter.io.writing import write_overlay

    folder.mkdir(parents=True, exist_ok=True)
    kept: list[str] = []
    if "answer" in files:
        known = codes if isinstance(found, Segmentation) and set(found.names) <= set(codes) else None
        write(found, folder / files["answer"], like=image, codes=known, overwrite=True)
        kept.append(files["answer"])
    if "overlay" in files and isinstance(found, Segmentation) and "t" not in image.axes:
        write_overlay(image, found, folder / files["overlay"], overwrite=True)
        kept.append(files["overlay"])
    return kept


def answer_of(found: Any) -> dict[str, Any]:
    """The numbers of an answer as one flat row."""
    if isinstance(found, Segmentation):
        return _regions(found)
    if isinstance(found, Probabilities):
        row: dict[str, Any] = {"decision": " + ".join(found.decision)}
        return row | {c: round(float(v), 6) for c, v in zip(found.classes, found.values, strict=True)}
    if isinstance(found, Values):
        return {f"{name} {value.unit}".strip(): value.number for name, value in found.items.items()}
    return {}


def plain(value: Any) -> Any:
    """Settings as JSON-able values; an object stands as its type."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else type(value).__name__


def _regions(found: Segmentation) -> dict[str, Any]:
    counts = np.bincount(found.labels.ravel(), minlength=256)
    row: dict[str, Any] = {}
    for i, name in enumerate(found.names[1:], start=1):
        row[f"{name} pixels"] = int(counts[i])
        if found.geometry.pixel_volume is not None:
            size = float(counts[i]) * found.geometry.pixel_volume
            unit, factor = ("ml", 1e-3) if found.geometry.ndim == 3 else ("mm2", 1.0)
            row[f"{name} {unit}"] = round(size * factor, 4)
    return row
