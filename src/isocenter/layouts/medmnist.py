"""MedMNIST npz: train_images, train_labels, val_*, test_* in one file (Yang et al., Scientific Data 10:41)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from isocenter import io
from isocenter.data import Cases
from isocenter.errors import IsocenterError, TableError
from isocenter.io import npz
from isocenter.layouts.ask import Ask, Notes
from isocenter.layouts.assembling import Item, assembled
from isocenter.layouts.cells import canonical, order
from isocenter.layouts.truths import Classes
from isocenter.ops.array import Array

PARTS = ("train", "val", "test")
# A last axis of this length is colour (red, green, blue).
COLOURS = 3


def claims(path: Path) -> bool:
    """Whether a .npz holds images and labels under MedMNIST's names (or plain ``images`` and ``labels``)."""
    if not path.is_file() or path.suffix.lower() != ".npz":
        return False
    try:
        return bool(_prefixes(npz.names(path)))
    except IsocenterError:
        return False


def read(path: Path, ask: Ask) -> Cases:
    """The cases; several labels hold at once where a label is a row of zeros and ones.

    Besides MedMNIST's own names, ``images`` and ``labels`` with optional ``split``, ``subject`` and ``label_names`` are
    read in the same way.

    Raises
    ------
    TableError
        Images and labels differ in number, or labels are no row of numbers.
    """
    parts = {p: _labels(path, p) for p in _prefixes(npz.names(path))}
    multilabel = any(a.ndim == 2 and a.shape[1] > 1 for a in parts.values())
    names = _names(path, list(parts.values()), multilabel)
    items = [item for prefix, labels in parts.items() for item in _items(path, prefix, labels, names)]
    meaning = {canonical(n): n for n in names.values()}
    return assembled(
        items, ask, root=path, tasks=("classify",), notes=Notes(ask.tolerant),
        reader=lambda: Classes(tuple(names.values()), meaning, multilabel=multilabel),
    )


def _prefixes(arrays: tuple[str, ...]) -> list[str]:
    found = [f"{p}_" for p in PARTS if {f"{p}_images", f"{p}_labels"} <= set(arrays)]
    return found or ([""] if {"images", "labels"} <= set(arrays) else [])


def _labels(path: Path, prefix: str) -> Array:
    labels = io.array_at(f"{path}#{prefix}labels")
    n = npz.stored(npz.Place(path, f"{prefix}images")).shape[0]
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim not in (1, 2) or len(labels) != n:
        raise TableError(
            "images and labels do not fit", where=f"{path}#{prefix}labels", got=str(labels.shape),
            wanted=f"({n},) or ({n}, k)",
        )
    return labels


def _names(path: Path, labels: list[Array], multilabel: bool) -> dict[str, str]:
    """Text of a label to the name of its class."""
    if multilabel:
        return {str(i): str(i) for i in range(labels[0].shape[1])}
    values = sorted({canonical(str(v)) for part in labels for v in np.unique(part).tolist()}, key=order)
    if "label_names" in npz.names(path):
        said = [str(v) for v in io.array_at(f"{path}#label_names").tolist()]
        if all(v.isdigit() and int(v) < len(said) for v in values):
            return {v: said[int(v)] for v in values}
    return {v: v for v in values}


def _items(path: Path, prefix: str, labels: Array, names: dict[str, str]) -> Iterator[Item]:
    name = f"{prefix}images"
    shape = npz.stored(npz.Place(path, name)).shape
    axes = {3: "yx", 4: "yxc" if shape[-1] == COLOURS else "zyx", 5: "zyxc"}.get(len(shape))
    if axes is None:
        raise TableError("images of no known shape", where=f"{path}#{name}", got=str(shape))
    beside = {w: _beside(path, prefix, w, len(labels)) for w in ("split", "subject")}
    for i, label in enumerate(labels):
        spec = f"{path.absolute()}#{name}[{i}]"
        several = labels.ndim == 2
        text = ";".join(names[str(k)] for k, v in enumerate(label) if v) if several else names[canonical(str(label))]
        yield Item(
            f"{name}[{i}]", partial(io.read_image, spec, axes=axes), spec, text or ";",
            beside["split"][i] or prefix.rstrip("_"), beside["subject"][i],
        )


def _beside(path: Path, prefix: str, what: str, n: int) -> list[str]:
    if prefix or what not in npz.names(path):
        return [""] * n
    values: list[Any] = io.array_at(f"{path}#{what}").tolist()
    return [str(v) for v in values]
